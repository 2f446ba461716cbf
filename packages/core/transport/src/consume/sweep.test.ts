import { describe, expect, test } from 'vitest'
import type { LeaseCapability } from '../contract/capabilities.ts'
import type { DriverConsumer, SettleOutcome } from '../contract/driver.ts'
import { createVirtualClock, type VirtualClock } from '../testing.ts'
import { HeldScope } from './held-scope.ts'
import { makeRun } from '../../test/make-run.ts'
import type { Run } from './run.ts'
import { Sweep } from './sweep.ts'

interface Setting {
  readonly clock: VirtualClock
  readonly sweep: Sweep
  readonly held: HeldScope
  readonly log: string[]
  /** What the driver answers to renewals. */
  answer: SettleOutcome | undefined
  /** Whether what is overdue is given back. */
  givesBack: boolean
  readonly arrive: (id: string) => Run
  readonly begin: (run: Run) => void
}

function create(lease: LeaseCapability, timeoutMs = 1_000_000): Setting {
  const clock = createVirtualClock({ startAt: 0 })
  const log: string[] = []
  const consumer = {
    renew: (_: unknown, deliveries: readonly unknown[]) => {
      log.push(`${clock.now()} renew ${deliveries.length}`)
      const { answer } = setting
      return answer === undefined ? new Promise(() => {}) : Promise.resolve(deliveries.map(() => answer))
    },
  } as unknown as DriverConsumer
  const held = new HeldScope({ name: 'scope' }, consumer, 3)
  const sweep = new Sweep(clock, () => [held], timeoutMs, {
    timedOut: (run) => {
      run.timedOut = true
      log.push(`${clock.now()} ${run.wire.id} timed out`)
    },
    leaseLost: (run, error) => {
      run.lose(error)
      log.push(`${clock.now()} ${run.wire.id} lost`)
    },
    overdue: (run) => {
      log.push(`${clock.now()} ${run.wire.id} overdue`)
      if (setting.givesBack) run.state = 'settling'
      return setting.givesBack
    },
  })
  sweep.lease = lease
  const setting: Setting = {
    clock,
    sweep,
    held,
    log,
    answer: 'confirmed',
    givesBack: true,
    arrive: (id) => {
      const run = makeRun({ held, wire: { id }, now: clock.now() })
      sweep.arrived(clock.now())
      return run
    },
    begin: (run) => {
      run.state = 'running'
      run.active = true
      run.startedAt = clock.now()
      sweep.started(run)
    },
  }
  return setting
}

const delivery: LeaseCapability = { scope: 'delivery', durationMs: 3_000 }
const session: LeaseCapability = { scope: 'session', durationMs: 3_000 }
const unbounded: LeaseCapability = { scope: 'session', durationMs: undefined }

describe('Sweep', () => {
  test('sets no timer for what has neither a lease nor a handler', () => {
    const { clock, arrive } = create(unbounded)
    arrive('a')
    expect(clock.pending).toBe(0)
  })

  test('has one timer, whatever is held, and tells of each handler once when its time is over', async () => {
    const { clock, log, arrive, begin } = create(unbounded, 1_000)
    for (const id of ['a', 'b', 'c']) {
      begin(arrive(id))
      await clock.advance(100)
    }
    expect(clock.pending).toBe(1)
    await clock.advance(10_000)
    expect(log).toEqual(['1000 a timed out', '1100 b timed out', '1200 c timed out'])
    expect(clock.pending).toBe(0)
  })

  test('does not time out who waits for a batch', async () => {
    const { clock, log, arrive, begin, sweep } = create(unbounded, 1_000)
    const run = arrive('a')
    begin(run)
    run.restartTime(Infinity)
    await clock.advance(5_000)
    expect(log).toEqual([])
    run.restartTime(clock.now())
    sweep.started(run)
    await clock.advance(1_000)
    expect(log).toEqual(['6000 a timed out'])
  })

  test('renews leases of deliveries three times a lease, also while they are settled', async () => {
    const { clock, log, arrive, begin } = create(delivery)
    const run = arrive('a')
    begin(run)
    await clock.advance(2_500)
    run.active = false
    run.state = 'settling'
    await clock.advance(1_000)
    expect(log).toEqual(['1000 renew 1', '2000 renew 1', '3000 renew 1'])
  })

  test('looks a few times a lease only, however many were taken at different times', async () => {
    const { clock, log, arrive, begin } = create(delivery)
    for (let index = 0; index < 100; index++) {
      begin(arrive(`m${index}`))
      await clock.advance(10)
    }
    log.length = 0
    await clock.advance(30_000)
    expect(log.length).toBeLessThanOrEqual(4 * 30)
    const renewed = log.reduce((sum, line) => sum + Number(line.split(' ')[2]), 0)
    expect(renewed).toBeGreaterThanOrEqual(100 * 29)
  })

  test('gives back what has waited for a slot for half of its lease, but not what waits for its key', async () => {
    const { clock, log, arrive } = create(delivery)
    const [waiting, keyed, holding, parked] = [
      arrive('waiting'),
      arrive('keyed'),
      arrive('holding'),
      arrive('parked'),
    ]
    keyed.keyed = true
    holding.state = 'holding'
    parked.state = 'parked'
    await clock.advance(1_900)
    expect(log).toEqual(['1000 renew 4', '1500 waiting overdue'])
    expect(waiting.state).toBe('settling')
  })

  test('renews on what is kept though it is overdue', async () => {
    const setting = create(delivery)
    setting.givesBack = false
    setting.arrive('a')
    await setting.clock.advance(6_500)
    expect(setting.log.filter((line) => line.includes('renew'))).toHaveLength(6)
  })

  test('tells of a lease that the broker says is lost', async () => {
    const setting = create(delivery)
    setting.answer = 'lost'
    setting.begin(setting.arrive('a'))
    await setting.clock.advance(5_000)
    expect(setting.log).toEqual(['1000 renew 1', '1000 a lost'])
  })

  test('gives up a lease whose renewals nobody has answered for all of its length', async () => {
    const setting = create(delivery)
    setting.answer = undefined
    setting.begin(setting.arrive('a'))
    await setting.clock.advance(5_000)
    expect(setting.log).toEqual(['1000 renew 1', '2000 renew 1', '3000 a lost'])
  })

  test('leaves what is on its way to the broker to what the broker says', async () => {
    const setting = create(delivery)
    setting.answer = undefined
    const run = setting.arrive('a')
    setting.begin(run)
    run.active = false
    run.state = 'settling'
    await setting.clock.advance(10_000)
    expect([run.lost, setting.log.some((line) => line.includes('lost'))]).toEqual([false, false])
  })

  test('asks before it gives up, when the process was too busy to ask in time', async () => {
    const { clock, log, held, arrive, begin } = create(delivery)
    const run = arrive('a')
    begin(run)
    await clock.advance(1_000)
    // As if the timer had fired late.
    run.leasedAt = -10_000
    await clock.advance(1_000)
    expect(log).toEqual(['1000 renew 1', '2000 renew 1'])
    expect([run.lost, run.leasedAt, held.unsettled]).toEqual([false, 2_000, 1])
  })

  test('of a session gives back whatever has not begun at half of the hold, and renews nothing', async () => {
    const { clock, log, arrive, begin } = create(session)
    const runs = ['waiting', 'holding', 'running'].map((id) => arrive(id))
    ;(runs[1] as Run).state = 'holding'
    begin(runs[2] as Run)
    await clock.advance(2_800)
    expect(log).toEqual(['1500 waiting overdue', '1500 holding overdue'])
  })

  test('of a session ends a handler before the hold ends, and sees to what waits again', async () => {
    const { clock, log, arrive, begin, sweep } = create(session, 3_000)
    const run = arrive('a')
    await clock.advance(500)
    begin(run)
    await clock.advance(2_400)
    expect(log).toEqual(['2850 a timed out'])
    const other = arrive('b')
    begin(other)
    await clock.advance(2_000)
    other.active = false
    other.state = 'holding'
    sweep.waits(other)
    await clock.advance(0)
    expect(log.at(-1)).toBe('4900 b overdue')
  })

  test('does nothing more once it is stopped', async () => {
    const { clock, log, arrive, begin, sweep } = create(delivery, 1_000)
    begin(arrive('a'))
    sweep.stop()
    begin(arrive('b'))
    await clock.advance(10_000)
    expect([log, clock.pending]).toEqual([[], 0])
  })
})
