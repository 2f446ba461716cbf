import { describe, expect, test } from 'vitest'
import type { DriverConsumer } from '../contract/driver.ts'
import { HeldScope } from './held-scope.ts'
import { Intake } from './intake.ts'
import { makeRun } from '../../test/make-run.ts'
import { Slots } from './slots.ts'

function create(prefetch = 10): {
  intake: Intake
  slots: Slots
  told: Map<string, number[]>
  scope: (name: string) => HeldScope
} {
  const slots = new Slots(prefetch)
  let ready = 0
  const intake = new Intake(
    slots,
    () => prefetch,
    () => ready,
  )
  intake.probing = false
  const told = new Map<string, number[]>()
  const consumer = {
    window: ({ name }: { readonly name: string }, size: number) =>
      told.set(name, [...(told.get(name) ?? []), size]),
  } as unknown as DriverConsumer
  ready = 0
  return { intake, slots, told, scope: (name) => new HeldScope({ name }, consumer, 3) }
}

describe('Intake', () => {
  test('tells a driver of windows that have changed, and of no others', () => {
    const { intake, told, scope } = create()
    const held = scope('a')
    expect(intake.add(held)).toBe(10)
    intake.update()
    intake.paused = true
    intake.update()
    intake.update()
    intake.paused = false
    intake.update()
    expect(told.get('a')).toEqual([0, 10])
  })

  test('takes one delivery at a time of each scope until one has come that is no suspect', () => {
    const { intake, scope } = create()
    intake.probing = true
    expect(intake.add(scope('a'))).toBe(1)
    expect(intake.add(scope('b'))).toBe(1)
    intake.probing = false
    intake.update()
    expect(intake.scopes.map(({ window }) => window)).toEqual([8, 8])
  })

  test.each(['stopping', 'paused', 'madeWay', 'lone'] as const)('takes nothing while it is %s', (reason) => {
    const { intake, scope } = create()
    intake.add(scope('a'))
    intake[reason] = true
    intake.update()
    expect([intake.open, intake.scopes[0]?.window]).toEqual([false, 0])
    expect(intake.add(scope('b'))).toBe(0)
  })

  test('takes nothing of a scope that is being given back, or to which deliveries with a key go back', () => {
    const { intake, told, scope } = create()
    const [closing, returning, other] = [scope('a'), scope('b'), scope('c')]
    for (const held of [closing, returning, other]) intake.add(held)
    closing.closing = true
    returning.returning = 2
    intake.update()
    expect([closing.window, returning.window]).toEqual([0, 0])
    expect(other.window).toBeGreaterThan(0)
    expect(told.get('a')?.at(-1)).toBe(0)
  })

  test('takes no more than what is busy while what came waited for too long', () => {
    const { intake, scope } = create()
    const held = scope('a')
    intake.add(held)
    const [running, holding, parked] = [
      makeRun({ held }),
      makeRun({ held }),
      makeRun({ held }),
      makeRun({ held }),
    ]
    if (running !== undefined) running.active = true
    if (holding !== undefined) holding.state = 'holding'
    if (parked !== undefined) parked.state = 'parked'
    intake.saturated = true
    intake.update()
    expect(held.window).toBe(3)
  })

  test('takes as much as may start, unless changing a window is dear', () => {
    const { intake, slots, scope } = create()
    const held = scope('a')
    intake.add(held)
    makeRun({ held }).active = true
    slots.allow({}, 3)
    intake.update()
    expect(held.window).toBe(4)
    intake.flow = 'fixed'
    intake.update()
    expect(held.window).toBe(10)
  })

  test('remembers a scope that is gone for as long as its handlers run', () => {
    const { intake, scope } = create()
    const held = scope('a')
    intake.add(held)
    const run = makeRun({ held })
    intake.remove(held)
    expect([intake.scopes, intake.everything()]).toEqual([[], [held]])
    held.remove(run)
    intake.left(held)
    expect(intake.everything()).toEqual([])
  })
})
