import { describe, expect, test } from 'vitest'
import { seededRandom } from '@posthorn/test-brokers'
import { findMistake } from '../src/broken/find-mistake.ts'
import { brokenLeasePrograms } from '../src/broken/lease-programs.ts'
import { explore, pairs, singles, type Program } from '../src/explore.ts'
import { leaseForm } from '../src/lease-form.ts'
import { runSchedule } from '../src/run-schedule.ts'

const patience = 120_000
const program: Program = { form: (stage) => leaseForm(stage) }
/** One that takes whole sessions back, answers no ack, and counts a release as a hand-out. */
const other: Program = {
  ...program,
  broker: { lease: { scope: 'session' }, confirm: 'sent', release: 'counted', flow: 'fixed' },
}

describe('metrics, retry, breaker and idempotency with leases over a work queue', () => {
  test('keep their promises when nothing is added to what fails by itself, every time in the same way', async () => {
    const [one, another] = [
      await runSchedule({ ...program, faults: [] }),
      await runSchedule({ ...program, faults: [] }),
    ]
    expect(one.violations).toEqual([])
    expect(one.opened).toBeGreaterThan(0)
    expect(one.steps).toEqual(another.steps)
  })

  test('keep them with every fault at every step', { timeout: patience }, async () => {
    const { failures, schedules, leastApplied } = await explore(program, await singles(program))
    expect(failures).toEqual([])
    expect(schedules).toBeGreaterThan(600)
    expect(leastApplied).toBeGreaterThanOrEqual(20)
  })

  test(
    'keep them with every fault at every step on another kind of broker',
    { timeout: patience },
    async () => {
      const { failures, schedules, leastApplied } = await explore(other, await singles(other))
      expect(failures).toEqual([])
      expect(schedules).toBeGreaterThan(600)
      expect(leastApplied).toBeGreaterThanOrEqual(20)
    },
  )

  test('keep them with two faults', { timeout: patience }, async () => {
    const schedules = await pairs(program, 1_200, seededRandom(5))
    const { failures, leastApplied } = await explore(program, schedules)
    expect(failures).toEqual([])
    expect(leastApplied).toBeGreaterThanOrEqual(50)
  })
})

describe('the exploration catches a chain that', () => {
  test.each(brokenLeasePrograms)('$name', { timeout: patience }, async (broken) => {
    expect(await findMistake(broken, seededRandom(1))).not.toEqual([])
  })
})
