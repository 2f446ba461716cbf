import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { DriverConsumer, SettleItem, SettleOutcome, SettleVerb } from '../contract/driver.ts'
import { PosthornError } from '../errors.ts'
import { createVirtualClock, type VirtualClock } from '../testing.ts'
import { HeldScope } from './held-scope.ts'
import { makeRun } from '../../test/make-run.ts'
import type { Run } from './run.ts'
import { Settler, type PendingSettlement } from './settler.ts'

const failure = new PosthornError('POSTHORN_BROKER_ERROR', 'not now', { retryable: true })
const full = new PosthornError('POSTHORN_HOLD_FULL', 'no room')

interface Setting {
  readonly clock: VirtualClock
  readonly settler: Settler
  readonly calls: {
    readonly items: readonly SettleItem[]
    readonly answer: (outcomes: readonly SettleOutcome[]) => Promise<void>
  }[]
  readonly log: string[]
  readonly scope: (connected?: boolean) => HeldScope
  readonly consumer: DriverConsumer
}

function create(): Setting {
  const clock = createVirtualClock()
  const calls: Setting['calls'] = []
  const log: string[] = []
  const name = (item: PendingSettlement): string => `${item.verb} ${item.run.wire.id}`
  const settler = new Settler(clock, {
    settled: (item) => {
      log.push(`settled ${name(item)}`)
      if (item.verb !== 'hold') item.run.state = 'gone'
    },
    lost: (item) => {
      log.push(`lost ${name(item)}`)
      item.run.state = 'gone'
    },
    failed: (item) => {
      log.push(`failed ${name(item)}`)
      return 100
    },
    stands: (item) =>
      item.run.state !== 'gone' &&
      (item.verb !== 'hold' || item.run.state === 'holding' || item.run.later?.at(-1)?.verb === 'release'),
    flushed: () => undefined,
  })
  const consumer = {
    settle: (_: unknown, items: readonly SettleItem[]) =>
      new Promise<readonly SettleOutcome[]>((resolve) => {
        calls.push({
          items,
          answer: async (outcomes) => {
            resolve(outcomes)
            await clock.advance(0)
          },
        })
      }),
  } as unknown as DriverConsumer
  return {
    clock,
    settler,
    calls,
    log,
    consumer,
    scope: (connected = true) => new HeldScope({ name: 'scope' }, connected ? consumer : undefined, 3),
  }
}

function add(settler: Settler, run: Run, verb: SettleVerb): void {
  run.state = verb === 'hold' ? 'holding' : 'settling'
  settler.add(run, verb, 0, run.wire, undefined)
}

const verbs = (calls: Setting['calls']): string[][] =>
  calls.map(({ items }) => items.map(({ verb, message }) => `${verb} ${message.id}`))

const runOf = (held: HeldScope, id: string): Run => makeRun({ held, wire: { id } })

describe('Settler', () => {
  test('hands over the settlements of a turn in one batch for each scope, in order', async () => {
    const { clock, settler, calls, scope } = create()
    const [one, other] = [scope(), scope()]
    add(settler, runOf(one, 'a'), 'ack')
    add(settler, runOf(other, 'b'), 'ack')
    add(settler, runOf(one, 'c'), 'retry')
    await clock.advance(0)
    add(settler, runOf(one, 'd'), 'ack')
    await clock.advance(0)
    expect(verbs(calls)).toEqual([['ack a', 'retry c'], ['ack b'], ['ack d']])
  })

  test('hands a full batch over at once, and the rest at the end of the turn', async () => {
    const { clock, settler, calls, scope } = create()
    const held = scope()
    for (const id of ['a', 'b', 'c']) add(settler, runOf(held, id), 'ack')
    expect(verbs(calls)).toEqual([['ack a', 'ack b', 'ack c']])
    add(settler, runOf(held, 'd'), 'ack')
    await clock.advance(0)
    expect(verbs(calls).slice(1)).toEqual([['ack d']])
  })

  test('cuts what waited for the driver into batches', async () => {
    const { clock, settler, calls, consumer, scope } = create()
    const held = scope(false)
    for (const id of ['a', 'b', 'c', 'd', 'e']) add(settler, runOf(held, id), 'ack')
    await clock.advance(0)
    expect(calls).toEqual([])
    held.consumer = consumer
    settler.flush()
    expect(verbs(calls)).toEqual([
      ['ack a', 'ack b', 'ack c'],
      ['ack d', 'ack e'],
    ])
  })

  test('tries again what failed, and only that', async () => {
    const { clock, settler, calls, log, scope } = create()
    const held = scope()
    add(settler, runOf(held, 'a'), 'ack')
    add(settler, runOf(held, 'b'), 'ack')
    await clock.advance(0)
    await calls[0]?.answer(['confirmed', failure])
    await clock.advance(99)
    expect(calls).toHaveLength(1)
    await clock.advance(1)
    await calls[1]?.answer(['sent'])
    expect(verbs(calls)).toEqual([['ack a', 'ack b'], ['ack b']])
    expect(log).toEqual(['settled ack a', 'failed ack b', 'settled ack b'])
  })

  test('takes a missing answer and a rejection as failures', async () => {
    const { clock, settler, calls, log, scope } = create()
    const held = scope()
    add(settler, runOf(held, 'a'), 'ack')
    await clock.advance(0)
    await calls[0]?.answer([])
    expect(log).toEqual(['failed ack a'])
    held.consumer = { settle: () => Promise.reject(new Error('x')) } as unknown as DriverConsumer
    await clock.advance(100)
    held.consumer = {
      settle: () => {
        throw new Error('x')
      },
    } as unknown as DriverConsumer
    await clock.advance(100)
    expect(log).toEqual(['failed ack a', 'failed ack a', 'failed ack a'])
  })

  test('keeps what is settled before the driver has answered that it consumes', async () => {
    const { clock, settler, calls, scope, consumer } = create()
    const held = scope(false)
    add(settler, runOf(held, 'a'), 'ack')
    await clock.advance(10)
    add(settler, runOf(held, 'b'), 'ack')
    await clock.advance(10)
    expect(calls).toEqual([])
    held.consumer = consumer
    settler.flush()
    expect(verbs(calls)).toEqual([['ack a', 'ack b']])
  })

  test('says that what belongs to a dead scope is lost, without asking the driver', async () => {
    const { clock, settler, calls, log, scope } = create()
    const held = scope()
    add(settler, runOf(held, 'a'), 'ack')
    held.alive = false
    await clock.advance(0)
    expect([calls, log]).toEqual([[], ['lost ack a']])
  })

  test('does not settle what was lost before it was handed over', async () => {
    const { clock, settler, calls, scope } = create()
    const held = scope()
    const lost = runOf(held, 'a')
    add(settler, lost, 'deadLetter')
    add(settler, runOf(held, 'b'), 'ack')
    lost.state = 'gone'
    await clock.advance(0)
    expect(verbs(calls)).toEqual([['ack b']])
  })

  test('lets nothing else of a delivery go while it is recorded', async () => {
    const { clock, settler, calls, scope } = create()
    const run = runOf(scope(), 'a')
    add(settler, run, 'hold')
    await clock.advance(0)
    add(settler, run, 'ack')
    await clock.advance(1_000)
    expect(verbs(calls)).toEqual([['hold a']])
    await calls[0]?.answer(['confirmed'])
    expect(verbs(calls)).toEqual([['hold a'], ['ack a']])
  })

  test('records what goes back, however often that takes, unless there is no room', async () => {
    for (const [error, expected] of [
      [failure, [['hold a'], ['hold a'], ['release a']]],
      [full, [['hold a'], ['release a']]],
    ] as const) {
      const { clock, settler, calls, scope } = create()
      const run = runOf(scope(), 'a')
      add(settler, run, 'hold')
      await clock.advance(0)
      add(settler, run, 'release')
      await calls[0]?.answer([error])
      await clock.advance(200)
      if (error === failure) await calls[1]?.answer(['confirmed'])
      expect(verbs(calls)).toEqual(expected)
    }
  })

  test('forgets a record that failed when the delivery is done with', async () => {
    const { clock, settler, calls, scope } = create()
    const run = runOf(scope(), 'a')
    add(settler, run, 'hold')
    await clock.advance(0)
    add(settler, run, 'ack')
    await calls[0]?.answer([failure])
    await clock.advance(1_000)
    await calls[1]?.answer(['confirmed'])
    await clock.advance(1_000)
    expect(verbs(calls)).toEqual([['hold a'], ['ack a']])
  })

  test('tries nothing again once it is stopped', async () => {
    const { clock, settler, calls, scope } = create()
    add(settler, runOf(scope(), 'a'), 'ack')
    await clock.advance(0)
    await calls[0]?.answer([failure])
    settler.stop()
    await clock.advance(1_000)
    expect([calls.length, clock.pending]).toEqual([1, 0])
  })

  test('has one settlement of a delivery under way at a time, and ends each of them, whatever the answers', async () => {
    const plan = fc.record({
      holds: fc.nat({ max: 3 }),
      last: fc.constantFrom<SettleVerb>('ack', 'retry', 'release', 'deadLetter'),
      scope: fc.nat({ max: 2 }),
    })
    const answer = fc.constantFrom<SettleOutcome>('confirmed', 'sent', failure, full, 'lost')
    await fc.assert(
      fc.asyncProperty(
        fc.array(plan, { maxLength: 12 }),
        fc.array(fc.array(answer, { maxLength: 4 }), { maxLength: 20 }),
        async (plans, answers) => {
          const { clock, settler, calls, log, scope } = create()
          const scopes = [scope(), scope(), scope()]
          const runs = plans.map((one, index) => runOf(scopes[one.scope] as HeldScope, `m${index}`))
          let answered = 0
          const step = async (): Promise<void> => {
            await clock.advance(0)
            const underWay = calls
              .slice(answered)
              .flatMap(({ items }) => items.map(({ delivery }) => delivery))
            expect(new Set(underWay).size).toBe(underWay.length)
            const call = calls[answered]
            if (call === undefined) return
            const given = answers[answered] ?? []
            // A `hold` is never only `sent`.
            const outcomes = call.items.map(({ verb }, index) => {
              const outcome = given[index] ?? 'confirmed'
              return verb === 'hold' && outcome === 'sent' ? 'confirmed' : outcome
            })
            answered++
            await call.answer(outcomes)
          }
          for (let round = 0; round < 4; round++) {
            for (const [index, run] of runs.entries()) {
              const { holds, last } = plans[index] as (typeof plans)[number]
              if (round < holds && run.state !== 'gone') add(settler, run, 'hold')
              else if (round === holds && run.state !== 'gone') add(settler, run, last)
            }
            await step()
          }
          for (let round = 0; round < 400 && (answered < calls.length || clock.pending > 0); round++) {
            await step()
            await clock.advance(100)
          }
          expect(runs.every((run) => run.state === 'gone')).toBe(true)
          expect(clock.pending).toBe(0)
          const ends = log
            .filter((line) => /^(lost|settled (?!hold))/.test(line))
            .map((line) => line.split(' ')[2])
          expect(new Set(ends).size).toBe(runs.length)
        },
      ),
      { numRuns: 100 },
    )
  })
})
