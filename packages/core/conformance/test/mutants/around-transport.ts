import type { ConsumeOptions, Consumer, Handler, SubscriptionOptions, Transport } from '@posthorn/transport'

/** What a broken variant does differently at the transport's surface. */
export interface TransportTwist {
  handler?(handler: Handler): Handler
  options?(options: ConsumeOptions): ConsumeOptions
  subscription?(options: SubscriptionOptions & ConsumeOptions): SubscriptionOptions & ConsumeOptions
  consumer?(consumer: Consumer): Consumer
  /** Before it closes. */
  closing?(): void
}

/** The transport with a twist. What it is not asked about goes to the real one. */
export function aroundTransport(transport: Transport, twist: TransportTwist): Transport {
  const handlerOf = (handler: Handler): Handler => twist.handler?.(handler) ?? handler
  const consumerOf = (consumer: Consumer): Consumer => twist.consumer?.(consumer) ?? consumer
  const twisted: Partial<Transport> = {
    consume: async (queue: string, handler: unknown, options: unknown) => {
      const given = (options ?? {}) as ConsumeOptions
      return consumerOf(
        await transport.consume(queue, handlerOf(handler as Handler), twist.options?.(given) ?? given),
      )
    },
    subscribe: async (topic: string, handler: unknown, options: unknown) => {
      const given = options as SubscriptionOptions & ConsumeOptions
      return consumerOf(
        await transport.subscribe(topic, handlerOf(handler as Handler), twist.subscription?.(given) ?? given),
      )
    },
    close: (options) => {
      twist.closing?.()
      return transport.close(options)
    },
  }
  return new Proxy(transport, {
    get(target, name) {
      const own = (twisted as Record<string | symbol, unknown>)[name]
      if (own !== undefined) return own
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** The consumer with some of its methods changed. */
export function aroundConsumerHandle(consumer: Consumer, changed: Partial<Consumer>): Consumer {
  return new Proxy(consumer, {
    get(target, name) {
      const own = (changed as Record<string | symbol, unknown>)[name]
      if (own !== undefined) return own
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
