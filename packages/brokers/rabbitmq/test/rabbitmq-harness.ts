import { connect, type ChannelModel, type Options } from 'amqplib'
import { rabbitmq, type RabbitmqNative } from '@posthorn/rabbitmq'
import { startTcpProxy, type RabbitmqServer, type TcpProxy } from '@posthorn/test-brokers'
import { systemClock } from '@posthorn/transport/driver'
import { ConfirmWatch, isSend } from './confirm-watch.ts'
import { addressIn, redirect } from './publish-frame.ts'
import type { Faults, OpenOptions, TransportHarness } from '@posthorn/conformance'
import type { Transport } from '@posthorn/transport'

const takesNothing = { 'x-max-length': 0, 'x-overflow': 'reject-publish' }
const fullQueue = 'full'

export interface RabbitmqHarness extends TransportHarness {
  readonly server: RabbitmqServer
  /** Each transport has a way of its own to the server. */
  readonly proxies: ReadonlyMap<Transport, TcpProxy>
  readonly killed: Set<Transport>
  /** Takes no connections, also of transports that are opened meanwhile. */
  refuse(on: boolean): Promise<void>
  /** What is sent waits on its way to the server. */
  freeze(on: boolean): Promise<void>
  /** Of the next `count` messages, over all transports, no confirmation arrives. */
  loseConfirmations(count: number): void
  /** The next `count` sends, over all transports, go to a queue that takes nothing. */
  rejectPublishes(count: number): Promise<void>
  /** Has dead-letter queues refuse, until so many writes have failed. */
  failDeadLetters(count: number): void
  mendDeadLetters(): Promise<void>
  /** A plain client, not through a proxy. */
  admin(): Promise<ChannelModel>
}

export function createRabbitmqHarness(server: RabbitmqServer): RabbitmqHarness {
  const proxies = new Map<Transport, TcpProxy>()
  const killed = new Set<Transport>()
  const watches = new Map<TcpProxy, ConfirmWatch>()
  let plain: ChannelModel | undefined
  let refuses = false
  let failing = 0
  let unconfirmed = 0
  let refused = 0
  const broken = new Set<string>()

  /** Has what is to be lost or refused pass through the proxy of one client. */
  function interfere(proxy: TcpProxy): void {
    const confirms = watches.get(proxy) ?? new ConfirmWatch()
    watches.set(proxy, confirms)
    proxy.rewrite('toServer', (frame) => {
      confirms.published(frame)
      const address = addressIn(frame)
      if (refused === 0 || address === undefined || address.exchange !== '' || !isSend(address))
        return frame.bytes
      refused -= 1
      return redirect(frame, fullQueue)
    })
    proxy.rewrite('toClient', (frame) => {
      if (!confirms.confirmsSends(frame) || unconfirmed === 0) return frame.bytes
      unconfirmed -= 1
      return undefined
    })
  }

  async function replace(queue: string, options: Options.AssertQueue): Promise<void> {
    const channel = await (await admin()).createChannel()
    await channel.deleteQueue(queue)
    await channel.assertQueue(queue, options)
    await channel.close()
  }

  /** The queue that `source` writes its dead letters to refuses them, for as long as writes are to fail. */
  async function breakDeadLetters(source: string): Promise<void> {
    if (failing === 0) return
    const queue = `${source}.dlq`
    broken.add(queue)
    await replace(queue, { durable: true, arguments: takesNothing })
  }

  async function mendDeadLetters(): Promise<void> {
    failing = 0
    const options = { durable: true, arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 1_000_000 } }
    for (const queue of broken) await replace(queue, options)
    broken.clear()
  }

  function watched(opened: Transport): Transport {
    opened.on('deadLetterFailed', () => {
      if (failing === 0) return
      failing -= 1
      if (failing === 0) void mendDeadLetters()
    })
    return new Proxy(opened, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property, target)
        if (typeof value !== 'function') return value
        const method = value.bind(target) as (...given: readonly unknown[]) => unknown
        if (property !== 'consume') return method
        return async (queue: string, ...given: readonly unknown[]) => {
          const consumer = await method(queue, ...given)
          await breakDeadLetters(queue)
          return consumer
        }
      },
    })
  }

  async function admin(): Promise<ChannelModel> {
    if (plain !== undefined) return plain
    const model = await connect(server.url)
    model.on('error', () => undefined)
    model.on('close', () => {
      plain = undefined
    })
    plain = model
    return model
  }

  return {
    server,
    proxies,
    killed,
    clock: systemClock,
    admin,
    async freeze(on) {
      for (const proxy of proxies.values()) {
        if (on) proxy.blackHole('toServer')
        else {
          const healed = proxy.heal()
          interfere(proxy)
          await healed
        }
      }
    },
    loseConfirmations(count) {
      unconfirmed = count
    },
    async rejectPublishes(count) {
      const channel = await (await admin()).createChannel()
      await channel.assertQueue(fullQueue, { durable: true, arguments: takesNothing })
      await channel.close()
      refused = count
    },
    failDeadLetters(count) {
      failing = count
    },
    mendDeadLetters,
    async refuse(on) {
      refuses = on
      for (const [transport, proxy] of proxies) if (!killed.has(transport)) await proxy.refuse(on)
    },
    async open(given = {}) {
      const options: OpenOptions = { ...given }
      delete (options as { name?: string }).name
      const proxy = await startTcpProxy({ target: server.url })
      interfere(proxy)
      if (refuses) await proxy.refuse(true)
      try {
        const transport = watched(
          await rabbitmq({
            url: proxy.url,
            heartbeatS: 5,
            maxHoldMs: 30_000,
            maxBodyBytes: 1024 * 1024,
            ...options,
          }),
        )
        proxies.set(transport, proxy)
        return transport
      } catch (error) {
        await proxy.close()
        throw error
      }
    },
    raw: {
      async put(queue, { body, headers }) {
        const channel = await (await admin()).createConfirmChannel()
        channel.sendToQueue(queue, Buffer.from(body), { headers: { ...headers } })
        await channel.waitForConfirms()
        await channel.close()
      },
    },
    async close() {
      await plain?.close().catch(() => undefined)
      for (const proxy of proxies.values()) await proxy.close()
    },
  }
}

const all = ({ proxies }: RabbitmqHarness): TcpProxy[] => [...proxies.values()]

function proxyOf({ proxies }: RabbitmqHarness, transport: Transport): TcpProxy {
  const proxy = proxies.get(transport)
  if (proxy === undefined) throw new Error('This transport was not opened by this harness.')
  return proxy
}

export const rabbitmqFaults: Faults<RabbitmqHarness> = {
  async kill(harness, transport) {
    harness.killed.add(transport)
    const proxy = proxyOf(harness, transport)
    await proxy.refuse(true)
    proxy.cut()
    // A process that comes after it would not take the queue as it is now.
    await harness.mendDeadLetters()
  },
  cut(harness, transport) {
    for (const proxy of transport === 'all' ? all(harness) : [proxyOf(harness, transport)]) proxy.cut()
  },
  async restart({ server }) {
    await server.sync()
    await server.kill()
    await server.restart()
  },
  refuse: (harness, on) => harness.refuse(on),
  loseConfirmations: (harness, count) => harness.loseConfirmations(count),
  rejectPublishes: (harness, count) => harness.rejectPublishes(count),
  freezePublishes: (harness, on) => harness.freeze(on),
  failDeadLetters: (harness, count) => harness.failDeadLetters(count),
  failSettlements: {
    cannotHappen: 'RabbitMQ does not answer an ack; when its connection ends, the message comes again',
  },
  revoke: { cannotHappen: 'RabbitMQ never asks before it takes something back' },
  stall: { cannotHappen: 'RabbitMQ hands out what is ready for as long as there is credit' },
  async block({ server, proxies }, on) {
    await server.ctl('set_vm_memory_high_watermark', on ? '0.00001' : '0.6')
    if (!on) return
    // The server tells a connection with its next message.
    for (const transport of proxies.keys()) {
      const { publishing } = transport.native as RabbitmqNative
      const channel = await publishing.createChannel()
      channel.publish('', 'nobody', Buffer.alloc(0))
    }
  },
  async loseDeclared(harness, source) {
    const channel = await (await harness.admin()).createChannel()
    await channel.deleteQueue(source)
    await channel.close()
  },
  dropLeases: (harness, source) => closeChannels(harness, source),
  endConsumers: (harness, source) => closeChannels(harness, source),
}

/** Has the server close the channels that consume a queue, as it does when they break a rule; their connections live. */
async function closeChannels({ server }: RabbitmqHarness, queue: string): Promise<void> {
  const channels = `lists:usort([proplists:get_value(channel_pid, C) || C <- rabbit_amqqueue:consumers_all(<<"/">>), element(4, proplists:get_value(queue_name, C)) =:= <<"${queue}">>])`
  // As if the client had acked what it never had.
  await server.ctl(
    'eval',
    `[P ! {'$gen_cast', {method, {'basic.ack', 999999999, false}, none, noflow}} || P <- ${channels}], ok.`,
  )
}
