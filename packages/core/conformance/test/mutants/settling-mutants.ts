import { aroundDriver, withMessage, type Held, type Twist } from './around-driver.ts'
import type { Mutant } from './mutant.ts'
import type { Delivery, SettleItem, SettleOutcome } from '@posthorn/transport/driver'

const mutant = (name: string, caughtBy: readonly string[], twist: () => Twist): Mutant => ({
  name,
  caughtBy,
  create: () => {
    const made = twist()
    return { wrapDriver: (driver) => aroundDriver(driver, made) }
  },
})

/** The same, with a state of its own in each process. */
const inEachProcess = (name: string, caughtBy: readonly string[], twist: () => Twist): Mutant => ({
  name,
  caughtBy,
  create: () => ({ wrapDriver: (driver) => aroundDriver(driver, twist()) }),
})

/** A change of every settlement on its way to the broker. */
const changing = (
  name: string,
  caughtBy: readonly string[],
  change: (item: SettleItem, held: Held) => SettleItem,
): Mutant =>
  mutant(name, caughtBy, () => ({
    settle: (items, held) => held.settle(items.map((item) => change(item, held))),
  }))

const asAck = (item: SettleItem): SettleItem => ({ ...item, verb: 'ack', delayMs: 0, record: undefined })

/** Settles a lost delivery on whoever holds the message now. */
function settlingForOthers(): Twist {
  const holders = new Map<string, { readonly delivery: Delivery; readonly held: Held }>()
  return {
    deliver(delivery, held) {
      const given = withMessage(delivery, {})
      holders.set(delivery.message.id, { delivery: given, held })
      return given
    },
    async settle(items, held) {
      const outcomes: SettleOutcome[] = []
      for (const item of items) {
        const [outcome = 'lost'] = await held.settle([item])
        const holder = holders.get(item.message.id)
        if (outcome === 'lost' && holder !== undefined && holder.delivery !== item.delivery) {
          await holder.held.settle([{ ...item, delivery: holder.delivery }])
        }
        outcomes.push(outcome)
      }
      return outcomes
    },
  }
}

export const settlingMutants: readonly Mutant[] = [
  mutant('acks before the handler ends', ['9', '10', '16', '90'], () => ({
    deliver(delivery, held) {
      const given = withMessage(delivery, {})
      const ack: SettleItem = {
        delivery,
        verb: 'ack',
        delayMs: 0,
        message: delivery.message,
        record: undefined,
      }
      queueMicrotask(() => void held.settle([ack]))
      return given
    },
    settle: async (items) => items.map(() => 'confirmed'),
  })),
  inEachProcess('counts attempts in each process', ['47b', '90'], () => {
    const attempts = new Map<string, number>()
    return {
      deliver: (delivery) => withMessage(delivery, { attempt: 1 + (attempts.get(delivery.message.id) ?? 0) }),
      settle(items, held) {
        return held.settle(
          items.map((item) => {
            if (item.verb !== 'retry') return item
            attempts.set(item.message.id, item.message.attempt - 1)
            return { ...item, message: { ...item.message, attempt: 1 } }
          }),
        )
      },
    }
  }),
  changing('the delay of a retry is ignored', ['9b', '31c', '31d'], (item) => ({ ...item, delayMs: 0 })),
  changing('a retry comes a second early', ['31c', '48'], (item) => ({
    ...item,
    delayMs: Math.max(0, item.delayMs - 1_000),
  })),
  mutant('an expired message is handed out', ['32', '32b', '90'], () => ({
    deliver: (delivery) => withMessage(delivery, { expiresAt: undefined }),
  })),
  mutant("a second settlement acks another's message", ['12'], settlingForOthers),
  mutant('settles for a revoked scope', ['52b'], () => ({ ...settlingForOthers(), silent: true })),
  mutant('a dead letter is written after the ack', ['17', '17b'], () => ({
    async settle(items, held) {
      const outcomes: SettleOutcome[] = []
      for (const item of items) {
        const [outcome = 'lost'] = await held.settle([item])
        // The write failed, and the message is gone from its source already.
        if (item.verb === 'deadLetter' && typeof outcome === 'object') await held.settle([asAck(item)])
        outcomes.push(item.verb === 'deadLetter' ? 'confirmed' : outcome)
      }
      return outcomes
    },
  })),
  mutant('a lost lease is not noticed', ['13'], () => ({
    renew: (deliveries) => deliveries.map(() => 'confirmed'),
    settle: async (items, held) =>
      (await held.settle(items)).map((outcome) => (outcome === 'lost' ? 'confirmed' : outcome)),
  })),
  mutant('leases are not renewed', ['14'], () => ({
    renew: (deliveries) => deliveries.map(() => 'confirmed'),
  })),
  changing('a release spends an attempt', ['11', '26', '35', '74'], (item) =>
    item.verb === 'release'
      ? { ...item, message: { ...item.message, attempt: item.message.attempt + 1 } }
      : item,
  ),
  changing('a release goes to the end of the queue', ['60b'], (item) =>
    item.verb === 'release' ? { ...item, delayMs: Math.max(1, item.delayMs) } : item,
  ),
  mutant('a group is skipped by the redelivery to another', ['21b'], () => {
    const redelivered = new Set<string>()
    const handed = new Set<string>()
    return {
      deliver(delivery, held) {
        const { id } = delivery.message
        const own = `${held.source.kind === 'subscription' ? held.source.group : ''} ${id}`
        if (redelivered.has(id) && !handed.has(own)) {
          const ack: SettleItem = {
            delivery,
            verb: 'ack',
            delayMs: 0,
            message: delivery.message,
            record: undefined,
          }
          queueMicrotask(() => void held.settle([ack]))
          return undefined
        }
        handed.add(own)
        return delivery
      },
      settle(items, held) {
        for (const item of items) if (item.verb === 'retry') redelivered.add(item.message.id)
        return held.settle(items)
      },
    }
  }),
  mutant('duplicates what is acked', ['8b', '20', '9', '90', '92'], () => {
    const acked = new Set<string>()
    return {
      settle: (items, held) =>
        held.settle(
          items.map((item) => {
            if (item.verb !== 'ack' || acked.has(item.message.id)) return item
            acked.add(item.message.id)
            return { ...item, verb: 'release', delayMs: 1_000 }
          }),
        ),
    }
  }),
  mutant('deduplication swallows the retry copy', ['34b'], () => {
    const deduplicated = new Set<string>()
    return {
      declare(declare, topology, mode) {
        for (const queue of topology.queues ?? []) {
          if (queue.deduplicationWindowMs !== undefined) deduplicated.add(queue.name)
        }
        return declare(topology, mode)
      },
      settle: (items, held) =>
        held.settle(
          items.map((item) =>
            item.verb === 'retry' && held.source.kind === 'queue' && deduplicated.has(held.source.name)
              ? asAck(item)
              : item,
          ),
        ),
    }
  }),
  changing('a dead letter loses its headers', ['7', '16'], (item) =>
    item.verb === 'deadLetter' ? { ...item, message: { ...item.message, headers: {} } } : item,
  ),
  changing('a dead letter loses its bytes', ['15', '16', '18'], (item) =>
    item.verb === 'deadLetter' ? { ...item, message: { ...item.message, body: new Uint8Array(0) } } : item,
  ),
  mutant('an attempt that is held is not recorded', ['30b'], () => ({
    settle: async (items, held) => {
      const real = items.filter((item) => item.verb !== 'hold')
      const outcomes = [...(await held.settle(real))]
      return items.map((item) => (item.verb === 'hold' ? 'confirmed' : (outcomes.shift() ?? 'lost')))
    },
  })),
  mutant('hand-outs are not counted', ['86'], () => ({
    deliver: ({ scope, token, message, invalid }) => ({
      scope,
      token,
      message,
      invalid,
      deliveries: 1,
    }),
  })),
]
