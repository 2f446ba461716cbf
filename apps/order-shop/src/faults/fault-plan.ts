import type { Party } from '../outside/stage.ts'
import { catalogue } from '../shop/catalogue.ts'
import { imageWidths } from '../shop/messages.ts'
import type { Order } from '../shop/order.ts'
import { paymentOf } from '../shop/order.ts'
import { createRandom, sample } from '../shop/seeded-random.ts'

/** The moment in a call at which its process crashes, or its connection is cut. */
export interface Strike {
  readonly kind: 'crash' | 'cut'
  readonly party: Party
  readonly subject: string
  /** Before the effect, or after it and before the ack. */
  readonly when: 'before' | 'after'
}

/**
 * What will go wrong, decided before anything runs. It hangs on orders, not on time or chance, so that both versions meet
 * the same.
 */
export interface FaultPlan {
  readonly seed: number
  /** How often a call fails before it works, by `<party> <subject>`. */
  readonly failures: ReadonlyMap<string, number>
  /** Calls that take `slowMs`, by `<party> <subject>`. */
  readonly slow: ReadonlySet<string>
  /** The order with whose authorization the payment provider goes down, for `outageMs`. */
  readonly outage: string | undefined
  /** The order whose e-mail is refused for ever, until it is repaired. */
  readonly poison: string | undefined
  readonly reach: Reach
  readonly strikes: readonly Strike[]
  /** Orders whose event the broker keeps without saying so; on a server, during whose publishing the connection is cut. */
  readonly lostConfirmations: readonly string[]
  /** Orders that the shop front hands over twice, as one that got no answer. */
  readonly sentTwice: readonly string[]
  /** Orders whose event the broker delivers twice. */
  readonly duplicates: readonly string[]
}

/**
 * What can be made to fail beside the parties: anything in memory; on a server the shop's processes, and connections where
 * they can lead through a proxy.
 */
export type Reach = 'memory' | 'processes and connections' | 'processes'

/** How long a slow call takes. */
export const slowMs = 250
/** Longer than all attempts of the retry policy take: by trying again alone, nobody gets over it. */
export const outageMs = 1_000
/** Fewer would not show a breaker that they have failed. */
const outageFrom = 20

export interface FaultScope {
  readonly seed: number
  /** Good orders. */
  readonly orders: readonly Pick<Order, 'id' | 'payment'>[]
  readonly reach: Reach
}

/** Decides what goes wrong. */
export function planFaults({ seed, orders, reach }: FaultScope): FaultPlan {
  const ids = orders.map(({ id }) => id)
  const byCard = orders.filter((order) => paymentOf(order) === 'card').map(({ id }) => id)
  const images = catalogue.flatMap(({ sku }) => imageWidths.map((width) => `${sku}-${width}`))
  let salt = seed
  const random = (): (() => number) => createRandom((salt += 7_919))
  const share = (list: readonly string[], part: number): string[] =>
    sample(random(), list, list.length === 0 ? 0 : Math.max(1, Math.round(list.length * part)))

  const called: readonly (readonly [Party, readonly string[]])[] = [
    ['payment', byCard],
    ['warehouse', ids],
    ['sales', ids],
    ['customers', ids],
    ['mail', ids],
    ['images', images],
    ['reports', ['customers']],
  ]
  const failures = called.flatMap(([party, subjects]) => {
    const often = random()
    return share(subjects, 0.04).map((subject) => [`${party} ${subject}`, often() < 0.7 ? 1 : 2] as const)
  })
  const slow = called.flatMap(([party, subjects]) =>
    share(subjects, 0.03).map((subject) => `${party} ${subject}`),
  )

  // One of each at least, and no order is met by two of them, so that each shows for itself.
  const many = ids.length >= 300 ? 2 : 1
  const met = sample(random(), ids, 8 * many + 1)
  const unmet = ids.filter((id) => !met.includes(id))
  const struck = shuffled(random(), met)
  const take = (count: number): string[] => struck.splice(0, count)
  const [poison] = take(1)
  const strike = (party: Party, kind: Strike['kind'], when: Strike['when'], count: number): Strike[] =>
    take(count).map((subject) => ({ kind, party, subject, when }))
  const strikes = [
    ...strike('charges', 'crash', 'after', many),
    ...strike('charges', 'crash', 'before', 1),
    ...strike('mail', 'crash', 'after', many),
    ...strike('warehouse', 'cut', 'after', many),
  ]
  const lostConfirmations = take(many)
  const duplicates = take(many + 1)
  return {
    seed,
    reach,
    failures: new Map(failures),
    slow: new Set(slow),
    poison,
    outage:
      byCard.length < outageFrom ? undefined : byCard[Math.floor(byCard.length * (0.3 + 0.3 * random()()))],
    sentTwice: share(unmet, 0.03),
    strikes: strikes.filter(({ kind }) => kind === 'crash' || reach !== 'processes'),
    lostConfirmations: reach === 'processes' ? [] : lostConfirmations,
    duplicates: reach === 'memory' ? duplicates : [],
  }
}

function shuffled<Item>(random: () => number, list: readonly Item[]): Item[] {
  return list
    .map((item) => ({ item, place: random() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ item }) => item)
}
