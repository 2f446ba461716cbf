import { optionRules } from '@posthorn/transport/options'
import type { MetricFamily } from './family.ts'
import { metricPrefix } from './meters.ts'
import type { SeriesBudget } from './series-budget.ts'

/** A circuit breaker, as far as metrics look at it: that of `@posthorn/circuit-breaker`, or anything like it. */
export interface ObservedBreaker {
  readonly name: string
  readonly state: 'closed' | 'half-open' | 'open' | 'isolated'
  /** Since it was made. */
  counts(): ObservedBreakerCounts
}

export interface ObservedBreakerCounts {
  readonly succeeded: number
  readonly failed: number
  /** Calls that say nothing about the dependency. */
  readonly ignored: number
  /** Calls that were not let in. */
  readonly rejected: number
  /** How often it opened. */
  readonly opened: number
}

/** What cannot be asked would fail every scrape later. */
export const breakerRules: Readonly<Record<'breaker', optionRules.Rule>> = {
  breaker: optionRules.required(
    optionRules.custom('a circuit breaker', (value) => {
      const { name, counts } = (value ?? {}) as Partial<ObservedBreaker>
      return typeof name === 'string' && typeof counts === 'function'
    }),
  ),
}

const outcomes = ['succeeded', 'failed', 'ignored', 'rejected'] as const
const values = { closed: 0, 'half-open': 0.5, open: 1, isolated: 1 } as const

/** Breakers count for themselves; they are asked when somebody looks. */
export class WatchedBreakers {
  private readonly budget: SeriesBudget
  private readonly breakers = new Map<string, ObservedBreaker>()
  readonly families: readonly MetricFamily[]

  constructor(budget: SeriesBudget) {
    this.budget = budget
    this.families = [
      this.family(
        'gauge',
        'breaker_state',
        'Closed is 0, half-open 0.5, open or isolated 1.',
        ({ state }) => [[{}, values[state]]],
      ),
      this.family(
        'counter',
        'breaker_calls_total',
        'Calls through a breaker, by how they ended.',
        (breaker) => {
          const counts = breaker.counts()
          return outcomes.map((outcome) => [{ outcome }, counts[outcome]])
        },
      ),
      this.family('counter', 'breaker_opened_total', 'How often a breaker opened.', (breaker) => [
        [{}, breaker.counts().opened],
      ]),
    ]
  }

  /** One of a name; where there is no room for its series, it is not shown. */
  add(breaker: ObservedBreaker): void {
    const { name } = breaker
    if (this.breakers.has(name) || this.budget.take(2 + outcomes.length)) this.breakers.set(name, breaker)
  }

  private family(
    type: MetricFamily['type'],
    name: string,
    help: string,
    look: (breaker: ObservedBreaker) => readonly (readonly [Readonly<Record<string, string>>, number])[],
  ): MetricFamily {
    return {
      name: metricPrefix + name,
      help,
      type,
      read: () =>
        [...this.breakers].flatMap(([breaker, watched]) =>
          look(watched).map(([labels, value]) => ({
            labels: { breaker, ...labels },
            value,
            histogram: undefined,
          })),
        ),
    }
  }
}
