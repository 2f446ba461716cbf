import { describe, expect, test } from 'vitest'
import { seededRandom } from '@posthorn/test-brokers'
import { findMistake } from '../src/broken/find-mistake.ts'
import { brokenInboxPrograms } from '../src/broken/inbox-programs.ts'
import { explore, pairs, singles, type Program } from '../src/explore.ts'
import { inboxForm } from '../src/inbox-form.ts'
import { runSchedule } from '../src/run-schedule.ts'

const patience = 240_000
const program: Program = { form: (stage) => inboxForm(stage) }

describe('metrics, retry, breaker and the transactional inbox over a work queue, with a relay', () => {
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
    expect(schedules).toBeGreaterThan(1_000)
    expect(leastApplied).toBeGreaterThanOrEqual(15)
  })

  test('keep them with two faults', { timeout: patience }, async () => {
    const schedules = await pairs(program, 200, seededRandom(5))
    const { failures, leastApplied } = await explore(program, schedules)
    expect(failures).toEqual([])
    expect(leastApplied).toBeGreaterThanOrEqual(5)
  })
})

describe('the exploration catches a chain that', () => {
  test.each(brokenInboxPrograms)('$name', { timeout: patience }, async (broken) => {
    expect(await findMistake(broken, seededRandom(1))).not.toEqual([])
  })
})
