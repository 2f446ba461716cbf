import { isPosthornError } from '@posthorn/transport'
import { aroundDriver, withMessage, type Twist } from './around-driver.ts'
import { aroundConsumerHandle, aroundTransport, type TransportTwist } from './around-transport.ts'
import type { Mutant } from './mutant.ts'
import type { DeadLetterPass, DriverConsumer, SettleItem } from '@posthorn/transport/driver'

const inDriver = (name: string, caughtBy: readonly string[], twist: () => Twist): Mutant => ({
  name,
  caughtBy,
  create: () => {
    const made = twist()
    return { wrapDriver: (driver) => aroundDriver(driver, made) }
  },
})

const inTransport = (name: string, caughtBy: readonly string[], twist: () => TransportTwist): Mutant => ({
  name,
  caughtBy,
  create: () => {
    const made = twist()
    return { wrapTransport: (transport) => aroundTransport(transport, made) }
  },
})

const noPass: DeadLetterPass = {
  total: 0,
  read: async () => [],
  decide: async () => [],
  close: async () => undefined,
}

const deaf: DriverConsumer = {
  flow: 'dynamic',
  window: () => undefined,
  settle: async (_, items) => items.map(() => 'lost'),
  renew: async (_, deliveries) => deliveries.map(() => 'lost'),
  ready: async () => 0,
  close: async () => undefined,
}

export const consumingMutants: readonly Mutant[] = [
  inTransport('key order is lost on a retry', ['30', '91'], () => ({
    options: (options) => (options.order === 'key' ? { ...options, whileRetrying: 'overtake' } : options),
  })),
  inTransport('key order is ignored', ['29', '60'], () => ({
    options: (options) =>
      Object.fromEntries(
        Object.entries(options).filter(([name]) => name !== 'order' && name !== 'whileRetrying'),
      ),
  })),
  inTransport('the first consumer of a queue keeps all keys', ['29b'], () => {
    let consumers = 0
    return {
      consumer: (consumer) => {
        if (consumers++ > 0) consumer.pause()
        return consumer
      },
    }
  }),
  inTransport('concurrency is exceeded by one', ['25', '27'], () => ({
    options: (options) => ({ ...options, concurrency: (options.concurrency ?? 10) + 1 }),
  })),
  inTransport('a live change of concurrency is ignored', ['25'], () => ({
    consumer: (consumer) => aroundConsumerHandle(consumer, { setConcurrency: () => undefined }),
  })),
  inTransport('pause is ignored', ['26', '72'], () => ({
    consumer: (consumer) => aroundConsumerHandle(consumer, { pause: () => undefined }),
  })),
  inTransport('the pause of a type pauses everything', ['72', '73'], () => ({
    consumer: (consumer) =>
      aroundConsumerHandle(consumer, { pause: () => consumer.pause(), resume: () => consumer.resume() }),
  })),
  inTransport('an abandoned handler frees its slot', ['53'], () => ({
    handler: (handler) => (message, context) => {
      const { signal } = context
      const aborted = new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
      })
      return Promise.race([handler(message, context), aborted])
    },
  })),
  inTransport('edits of headers and data leak to the next attempt', ['15'], () => {
    const seen = new Map<string, Parameters<Parameters<NonNullable<TransportTwist['handler']>>[0]>[0]>()
    return {
      handler: (handler) => (message, context) => {
        const kept = seen.get(message.id) ?? message
        seen.set(message.id, kept)
        return handler(kept, context)
      },
    }
  }),
  inTransport('an ephemeral subscription is durable', ['58'], () => ({
    subscription: ({ ephemeral, ...options }) =>
      (ephemeral === true ? { ...options, group: 'ephemeral' } : options) as never,
  })),
  inTransport('what a handler throws is an ack', ['9', '47'], () => ({
    handler: (handler) => async (message, context) => {
      try {
        return await handler(message, context)
      } catch {
        return undefined
      }
    },
  })),
  {
    name: 'close drops in-flight work',
    caughtBy: ['35', '36', '74'],
    create: () => {
      let closing = false
      return {
        wrapDriver: (driver) =>
          aroundDriver(driver, {
            settle: (items, held) =>
              held.settle(
                items.map((item): SettleItem =>
                  closing && item.verb === 'release' ? { ...item, verb: 'ack', delayMs: 0 } : item,
                ),
              ),
          }),
        wrapTransport: (transport) =>
          aroundTransport(transport, {
            closing: () => {
              closing = true
            },
          }),
      }
    },
  },
  inDriver('prefetch has no bound', ['27'], () => ({ window: (size) => (size === 0 ? 0 : 100_000) })),
  inDriver('two groups share one subscription', ['21', '64'], () => ({
    declare: (declare, topology, mode) =>
      declare(
        {
          ...topology,
          subscriptions: [
            ...(topology.subscriptions ?? []),
            ...(topology.subscriptions ?? []).map((one) => ({ ...one, group: 'shared' })),
          ],
        },
        mode,
      ),
    read: (source) => (source.kind === 'subscription' ? { ...source, group: 'shared' } : source),
  })),
  inDriver('the pattern # matches one word only', ['24'], () => {
    const narrow = (patterns: readonly string[]): string[] =>
      patterns.map((pattern) => (pattern === '#' ? pattern : pattern.replaceAll('#', '*')))
    return {
      declare: (declare, topology, mode) =>
        declare(
          {
            ...topology,
            subscriptions: (topology.subscriptions ?? []).map((one) => ({
              ...one,
              patterns: narrow(one.patterns ?? ['#']),
            })),
          },
          mode,
        ),
      read: (source) => ('patterns' in source ? { ...source, patterns: narrow(source.patterns) } : source),
    }
  }),
  {
    name: 'nothing is consumed after a reconnection',
    caughtBy: ['37b', '82', '85'],
    create: () => ({
      wrapDriver: (driver) => {
        let connections = 0
        return aroundDriver(driver, {
          connected: () => {
            connections += 1
          },
          consume: (consume, source, request) =>
            connections > 1 ? Promise.resolve(deaf) : consume(source, request),
        })
      },
    }),
  },
  {
    name: 'the id that was made up for a copy is taken for its own',
    caughtBy: ['70c'],
    create: () => ({
      positions: false,
      wrapDriver: (driver) =>
        aroundDriver(driver, {
          deliver: (delivery) =>
            delivery.message.attempt === 1 ? delivery : withMessage(delivery, { idMadeUp: false }),
        }),
    }),
  },
  inDriver('a stalled source looks empty', ['84'], () => ({ ready: () => 0 })),
  inDriver('a replay goes to all groups', ['64'], () => ({
    async openDeadLetters(open, source, connection) {
      const pass = await open()
      return {
        total: pass.total,
        read: (max) => pass.read(max),
        close: () => pass.close(),
        async decide(items) {
          for (const { decision, message } of items) {
            if (decision !== 'replay' || source.kind !== 'subscription') continue
            await connection.publish({ kind: 'topic', name: source.topic }, [message], Infinity)
          }
          return pass.decide(
            items.map((item) =>
              item.decision === 'replay' && source.kind === 'subscription'
                ? { ...item, decision: 'discard' }
                : item,
            ),
          )
        },
      }
    },
  })),
  inDriver('a replay keeps the attempts spent', ['64'], () => ({
    async openDeadLetters(open) {
      const pass = await open()
      return {
        total: pass.total,
        read: (max) => pass.read(max),
        close: () => pass.close(),
        decide: (items) =>
          pass.decide(
            items.map((item) => ({
              ...item,
              message: { ...item.message, attempt: item.entry.message.attempt },
            })),
          ),
      }
    },
  })),
  inDriver('a replayed dead letter is not removed', ['63', '64'], () => ({
    async openDeadLetters(open, source, connection) {
      const pass = await open()
      return {
        total: pass.total,
        read: (max) => pass.read(max),
        close: () => pass.close(),
        async decide(items) {
          for (const { decision, message } of items) {
            if (decision !== 'replay') continue
            if (source.kind === 'queue')
              await connection.publish({ kind: 'queue', name: source.name, shards: 1 }, [message], Infinity)
            if (source.kind === 'subscription')
              await connection.publish({ kind: 'topic', name: source.topic }, [message], Infinity)
          }
          return pass.decide(
            items.map((item) => (item.decision === 'replay' ? { ...item, decision: 'keep' } : item)),
          )
        },
      }
    },
  })),
  inDriver('a second pass over dead letters looks empty in place of being refused', ['65'], () => ({
    openDeadLetters: (open) =>
      open().catch((error: unknown) => {
        if (isPosthornError(error) && error.code === 'POSTHORN_DEAD_LETTERS_BUSY') return noPass
        throw error
      }),
  })),
  inDriver('a pass reads on past its end', ['66'], () => ({
    async openDeadLetters(open) {
      let pass = await open()
      let rounds = 0
      return {
        total: pass.total,
        async read(max) {
          const entries = await pass.read(max)
          if (entries.length > 0 || rounds++ > 2) return entries
          await pass.close()
          pass = await open()
          return pass.read(max)
        },
        decide: (items) => pass.decide(items),
        close: () => pass.close(),
      }
    },
  })),
]
