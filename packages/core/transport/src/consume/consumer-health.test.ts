import { describe, expect, test } from 'vitest'
import type { Batcher } from './batcher.ts'
import { consumerHealth } from './consumer-health.ts'
import { HeldScope } from './held-scope.ts'
import { Intake } from './intake.ts'
import { makeRun } from '../../test/make-run.ts'
import { Slots } from './slots.ts'

function create(size: number, abandoned: number, running: number): { intake: Intake; slots: Slots } {
  const slots = new Slots(size)
  slots.running = running
  for (let index = 0; index < abandoned; index++) slots.abandoned.add(makeRun())
  return {
    slots,
    intake: new Intake(
      slots,
      () => size,
      () => 0,
    ),
  }
}

describe('consumerHealth', () => {
  test.each<[number, number, number, Partial<Batcher> | undefined, 'up' | 'down']>([
    [2, 0, 2, undefined, 'up'],
    [2, 1, 2, undefined, 'up'],
    [2, 2, 2, undefined, 'down'],
    // Two messages in one batch of ten that hangs, and three that wait for the next.
    [10, 2, 5, { full: true, waiting: 3 }, 'down'],
    // The same beside a batch that works.
    [20, 2, 8, { full: true, waiting: 3 }, 'up'],
    [20, 2, 5, { full: false, waiting: 3 }, 'up'],
  ])('with %i slots, %i abandoned and %i running is as it is', (size, abandoned, running, batcher, state) => {
    const { intake, slots } = create(size, abandoned, running)
    expect(consumerHealth('orders', intake, slots, batcher as Batcher | undefined)).toMatchObject({
      state,
      abandoned,
      running,
    })
  })

  test('tells of a pause, a stop, and what is held and not begun', () => {
    const { intake, slots } = create(2, 0, 0)
    const held = new HeldScope({ name: 'scope' }, undefined, 3)
    intake.add(held)
    const [running, settling, holding] = [makeRun({ held }), makeRun({ held }), makeRun({ held })]
    makeRun({ held })
    running.active = true
    running.state = 'running'
    settling.state = 'settling'
    holding.state = 'holding'
    expect(consumerHealth('orders', intake, slots, undefined)).toMatchObject({
      state: 'up',
      reason: undefined,
      waiting: 2,
    })
    intake.paused = true
    expect(consumerHealth('orders', intake, slots, undefined).state).toBe('paused')
    intake.stopping = true
    expect(consumerHealth('orders', intake, slots, undefined).state).toBe('stopped')
  })
})
