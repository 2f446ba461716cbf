import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createVirtualClock } from '../testing.ts'
import { makeRun } from '../../test/make-run.ts'
import type { Run } from './run.ts'
import { Turns } from './turns.ts'

const keyedRun = (id: number, key: string | undefined, notBefore?: number): Run =>
  makeRun({ wire: { id: `m${id}`, key, notBefore } })

/** What the runner does when a handler starts and ends. */
function begin(run: Run): void {
  run.state = 'running'
  run.active = true
}
function finish(turns: Turns, run: Run): void {
  run.active = false
  run.state = 'gone'
  turns.end(run)
}

describe('Turns', () => {
  test('hands out in the order of arrival', () => {
    const turns = new Turns(createVirtualClock(), false, () => undefined)
    const runs = [keyedRun(1, 'a'), keyedRun(2, 'a'), keyedRun(3, undefined)]
    for (const run of runs) turns.enter(run, 0)
    expect([turns.next(), turns.next(), turns.next(), turns.next()]).toEqual([...runs, undefined])
  })

  test('gives the turn to none that is going back', () => {
    const turns = new Turns(createVirtualClock(), true, () => undefined)
    const [first, second, third] = [keyedRun(1, 'a'), keyedRun(2, 'a'), keyedRun(3, 'a')]
    for (const run of [first, second, third]) turns.enter(run, 0)
    begin(turns.next() as Run)
    second.state = 'settling'
    finish(turns, first)
    expect(turns.next()).toBe(third)
    finish(turns, third)
    const later = keyedRun(4, 'a')
    turns.enter(later, 0)
    expect(turns.next()).toBe(later)
  })

  test.each(['a', undefined])('waits until its time with a delivery of the key %s', async (key) => {
    const clock = createVirtualClock({ startAt: 1_000 })
    let woken = 0
    const turns = new Turns(clock, true, () => woken++)
    const run = keyedRun(1, key, 3_000)
    turns.enter(run, clock.now())
    expect([turns.next(), run.state]).toEqual([undefined, 'holding'])
    await clock.advance(1_999)
    expect(woken).toBe(0)
    await clock.advance(1)
    expect([woken, run.state]).toEqual([1, 'waiting'])
    expect(turns.next()).toBe(run)
  })

  test('does not go on with what is held before its handler has ended', async () => {
    const clock = createVirtualClock()
    const turns = new Turns(clock, true, () => undefined)
    const run = keyedRun(1, 'a')
    turns.enter(run, clock.now())
    begin(turns.next() as Run)
    run.timedOut = true
    turns.hold(run, 10)
    await clock.advance(100)
    expect(turns.next()).toBeUndefined()
    run.active = false
    turns.resume(run)
    expect(turns.next()).toBe(run)
    expect(run.timedOut).toBe(false)
  })

  test('keeps the place of what was parked meanwhile, and hands it out once', () => {
    const turns = new Turns(createVirtualClock(), false, () => undefined)
    const [first, second] = [keyedRun(1, undefined), keyedRun(2, undefined)]
    turns.enter(first, 0)
    turns.enter(second, 0)
    for (let round = 0; round < 100; round++) {
      first.state = 'parked'
      first.state = 'waiting'
      turns.enter(first, 0)
    }
    expect(turns.ready).toBe(2)
    expect([turns.next(), turns.next(), turns.next()]).toEqual([first, second, undefined])
  })

  test('forgets what was given back, in the line and in lanes', () => {
    const turns = new Turns(createVirtualClock(), true, () => undefined)
    const runs = [
      keyedRun(1, 'a'),
      keyedRun(2, 'a'),
      keyedRun(3, 'a'),
      keyedRun(4, undefined),
      keyedRun(5, undefined),
    ]
    for (const run of runs) turns.enter(run, 0)
    begin(turns.next() as Run)
    for (const index of [1, 3]) (runs[index] as Run).state = 'gone'
    turns.compact()
    expect([turns.ready, turns.behind]).toEqual([1, 1])
    expect(turns.next()).toBe(runs[4])
  })

  test('keeps each key in order, one at a time, whatever is held, given back or late', async () => {
    const step = fc.record({
      do: fc.constantFrom(
        'arrive',
        'arrive',
        'arrive',
        'start',
        'start',
        'end',
        'end',
        'hold',
        'giveBack',
        'advance',
        'compact',
      ),
      pick: fc.nat(),
      key: fc.constantFrom('a', 'b', 'c', undefined),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (steps) => {
        const clock = createVirtualClock()
        const turns = new Turns(clock, true, () => undefined)
        const runs: Run[] = []
        const started: Run[] = []
        const running = new Set<Run>()
        const startOne = (): void => {
          const run = turns.next()
          if (run === undefined) return
          const { key } = run.wire
          if (key !== undefined) for (const other of running) expect(other.wire.key).not.toBe(key)
          begin(run)
          running.add(run)
          started.push(run)
        }
        for (const one of steps) {
          const [active] = [...running].slice(one.pick % Math.max(1, running.size))
          switch (one.do) {
            case 'arrive': {
              const run = keyedRun(runs.length, one.key)
              runs.push(run)
              turns.enter(run, clock.now())
              break
            }
            case 'start':
              startOne()
              break
            case 'end':
              if (active === undefined) break
              running.delete(active)
              finish(turns, active)
              break
            case 'hold':
              if (active === undefined) break
              running.delete(active)
              active.active = false
              turns.hold(active, 1 + (one.pick % 50))
              break
            case 'giveBack': {
              const waiting = runs.filter((run) => run.state === 'waiting' || run.state === 'holding')
              const run = waiting[one.pick % Math.max(1, waiting.length)]
              if (run === undefined) break
              run.cancelWait?.()
              run.state = 'settling'
              turns.end(run)
              break
            }
            case 'advance':
              await clock.advance(one.pick % 60)
              break
            case 'compact':
              turns.compact()
          }
        }
        // Everything that was not given back is handled in the end.
        for (let rounds = 0; rounds < 2 * runs.length + 2; rounds++) {
          await clock.advance(60)
          startOne()
          for (const run of running) finish(turns, run)
          running.clear()
        }
        for (const run of runs) expect(['gone', 'settling']).toContain(run.state)
        for (const key of ['a', 'b', 'c']) {
          const firsts = [...new Set(started.filter((run) => run.wire.key === key))].map((run) =>
            runs.indexOf(run),
          )
          expect(firsts).toEqual(firsts.toSorted((one, other) => one - other))
        }
        expect([turns.ready, turns.behind, clock.pending]).toEqual([0, 0, 0])
      }),
      { numRuns: 150 },
    )
  })
})
