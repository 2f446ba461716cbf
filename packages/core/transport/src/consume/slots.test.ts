import { describe, expect, test } from 'vitest'
import { makeRun } from '../../test/make-run.ts'
import { Slots } from './slots.ts'

describe('Slots', () => {
  test('are free until as many run as there are', () => {
    const slots = new Slots(2)
    slots.take()
    expect([slots.free, slots.idle]).toEqual([true, false])
    slots.take()
    expect(slots.free).toBe(false)
    slots.leave(makeRun())
    slots.leave(makeRun())
    expect([slots.free, slots.idle, slots.running]).toEqual([true, true, 0])
  })

  test('of abandoned handlers stay taken, and count as idle', () => {
    const slots = new Slots(1)
    const run = makeRun()
    slots.take()
    run.timedOut = true
    slots.abandoned.add(run)
    expect([slots.free, slots.idle]).toEqual([false, true])
    slots.leave(run)
    expect([slots.free, slots.idle, slots.abandoned.size]).toEqual([true, true, 0])
  })

  test('are given out as far as the least allowance goes', () => {
    const slots = new Slots(10)
    const [one, other] = [{}, {}]
    slots.allow(one, 3)
    slots.allow(other, 2.9)
    slots.take()
    slots.take()
    expect([slots.free, slots.allowance]).toEqual([false, 0])
    slots.allow(other, Infinity)
    expect([slots.free, slots.allowance]).toEqual([true, 1])
    slots.allow(one, Infinity)
    expect(slots.allowance).toBe(Infinity)
  })
})
