import fc from 'fast-check'
import type { Clock } from '@posthorn/transport'
import { expect, test } from 'vitest'
import { breakerSettings, type BreakerOptions } from './breaker-options.ts'
import { BreakerState, type BreakerChange } from './breaker-state.ts'

type Step =
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'begin' }
  | { readonly do: 'end'; readonly which: number; readonly failed: boolean; readonly slow: boolean }
  | { readonly do: 'ignore'; readonly which: number }
  | { readonly do: 'isolate' }
  | { readonly do: 'reset' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 700 }) }),
  },
  { weight: 16, arbitrary: fc.record({ do: fc.constant('begin' as const) }) },
  {
    weight: 16,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      which: fc.nat(20),
      failed: fc.boolean(),
      slow: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('ignore' as const), which: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'isolate' }) },
  { weight: 3, arbitrary: fc.constant<Step>({ do: 'reset' }) },
)

const options = fc.record({
  failureRate: fc.constantFrom(0.2, 0.5, 0.75, 1),
  slowRate: fc.constantFrom(0.2, 0.5, 1),
  minimumCalls: fc.integer({ min: 1, max: 6 }),
  probes: fc.integer({ min: 1, max: 4 }),
  resetMs: fc.constantFrom(100, 500, 1_000),
  resetFactor: fc.constantFrom(1, 1.5, 2),
})

interface ModelCall {
  readonly era: number
  readonly isProbe: boolean
}

/** What the README says of a breaker, with lists in place of counters. */
class Model {
  state = 'closed'
  era = 0
  eraBegan: number
  ended: { readonly at: number; readonly failed: boolean; readonly slow: boolean }[] = []
  openings = 0
  retryAt = Infinity
  open: ModelCall[] = []
  probes: { readonly failed: boolean; readonly slow: boolean }[] = []
  probesSince = 0
  readonly changes: string[] = []
  private readonly given: Required<
    Pick<BreakerOptions, 'failureRate' | 'slowRate' | 'minimumCalls' | 'probes' | 'resetMs' | 'resetFactor'>
  >

  constructor(given: Model['given'], now: number) {
    this.given = given
    this.eraBegan = now
  }

  get running(): number {
    return this.open.filter((call) => call.isProbe && call.era === this.era).length
  }

  enter(state: string, now: number): void {
    this.changes.push(`${this.state} > ${state} ${now}`)
    if (state === 'open') {
      const delay = this.given.resetMs * this.given.resetFactor ** this.openings++
      this.retryAt = now + Math.min(2_000, Math.ceil(delay))
    } else if (state === 'closed') this.openings = 0
    this.state = state
    this.era++
    this.eraBegan = now
    this.ended = []
    this.probes = []
  }

  tick(now: number): void {
    if (this.state === 'open' && now >= this.retryAt) this.enter('half-open', now)
    else if (this.state === 'half-open' && this.running > 0 && now >= this.probesSince + 1_000)
      this.enter('open', now)
  }

  begin(now: number): ModelCall | undefined {
    this.tick(now)
    if (this.state === 'closed') return { era: this.era, isProbe: false }
    if (this.state !== 'half-open' || this.running + this.probes.length >= this.given.probes) return undefined
    if (this.running === 0) this.probesSince = now
    return { era: this.era, isProbe: true }
  }

  end(call: ModelCall, failed: boolean, slow: boolean, now: number): void {
    this.tick(now)
    if (call.era !== this.era) return
    const { failureRate, slowRate, minimumCalls, probes } = this.given
    const reached = (bad: number, of: number, rate: number): boolean => bad > 0 && bad >= rate * of - 1e-9
    if (!call.isProbe) {
      this.ended.push({ at: now, failed, slow })
      const bucketOf = (at: number): number => Math.floor((at - this.eraBegan) / 100)
      const counted = this.ended.filter(({ at }) => bucketOf(at) > bucketOf(now) - 10)
      if (counted.length < minimumCalls) return
      const failures = counted.filter((one) => one.failed).length
      const slows = counted.filter((one) => one.slow).length
      if (failed && reached(failures, counted.length, failureRate)) this.enter('open', now)
      else if (slow && reached(slows, counted.length, slowRate)) this.enter('open', now)
      return
    }
    this.probes.push({ failed, slow })
    const failures = this.probes.filter((one) => one.failed).length
    const slows = this.probes.filter((one) => one.slow).length
    if (reached(failures, probes, failureRate) || reached(slows, probes, slowRate)) this.enter('open', now)
    else if (this.probes.length === probes) this.enter('closed', now)
  }
}

interface Run {
  readonly model: Model
  readonly changes: BreakerChange[]
}

function play(given: Model['given'], steps: readonly Step[]): Run {
  let now = 0
  const clock: Clock = { now: () => now, random: () => 0, setTimer: () => () => {}, defer: () => {} }
  const changes: BreakerChange[] = []
  const fixed = {
    name: 'x',
    clock,
    windowMs: 1_000,
    slowMs: 1,
    maxResetMs: 2_000,
    maxProbeMs: 1_000,
    jitter: 'none',
  } as const
  const state = new BreakerState(breakerSettings({ ...fixed, ...given }), (change) => changes.push(change))
  const model = new Model(given, clock.now())
  const calls: { readonly turn: number; readonly modelled: ModelCall }[] = []

  for (const one of steps) {
    switch (one.do) {
      case 'wait':
        now += one.ms
        break
      case 'begin': {
        const modelled = model.begin(now)
        const turn = state.begin(now)
        expect(turn !== 0).toBe(modelled !== undefined)
        if (modelled === undefined) break
        calls.push({ turn, modelled })
        model.open.push(modelled)
        break
      }
      case 'end':
      case 'ignore': {
        const [call] = calls.splice(one.which % Math.max(1, calls.length), 1)
        if (call === undefined) break
        // What has taken too long is decided before it ends.
        model.tick(now)
        model.open = model.open.filter((other) => other !== call.modelled)
        if (one.do === 'end') model.end(call.modelled, one.failed, one.slow, now)
        if (one.do === 'end') state.end(call.turn, one, now)
        else state.ignore(call.turn, now)
        break
      }
      case 'isolate':
        model.tick(now)
        if (model.state !== 'isolated') model.enter('isolated', now)
        state.isolate(now)
        break
      case 'reset':
        model.tick(now)
        model.enter('closed', now)
        state.reset(now)
        break
    }
    expect(state.name).toBe(model.state)
  }
  return { model, changes }
}

test('a breaker goes from state to state as its model does, whatever happens', () => {
  const transitions = new Map<string, number>()
  fc.assert(
    fc.property(options, fc.array(step, { minLength: 30, maxLength: 150, size: 'max' }), (given, steps) => {
      const { model, changes } = play(given, steps)
      expect(changes.map(({ from, to, at }) => `${from} > ${to} ${at}`)).toEqual(model.changes)
      for (const { from, to } of changes)
        transitions.set(`${from} > ${to}`, (transitions.get(`${from} > ${to}`) ?? 0) + 1)
    }),
    { numRuns: 400 },
  )
  // Every way there is was gone often.
  for (const way of ['closed > open', 'open > half-open', 'half-open > open', 'half-open > closed'])
    expect(transitions.get(way)).toBeGreaterThan(40)
  expect(transitions.size).toBe(10)
})
