import { describe, expect, test } from 'vitest'
import { createVirtualClock } from '../testing.ts'
import { Checkpoints } from './checkpoints.ts'

describe('Checkpoints', () => {
  test('wait until a condition holds, or the time is over, and leave nothing behind', async () => {
    const clock = createVirtualClock()
    const checkpoints = new Checkpoints(clock)
    const seen: string[] = []
    let done = false
    void checkpoints.until(() => done, 1_000).then(() => seen.push('done'))
    void checkpoints.until(() => false, 500).then(() => seen.push('late'))
    void checkpoints.until(() => true, 0).then(() => seen.push('at once'))
    checkpoints.check()
    await clock.advance(100)
    expect(seen).toEqual(['at once'])
    done = true
    checkpoints.check()
    await clock.advance(0)
    expect(seen).toEqual(['at once', 'done'])
    await clock.advance(400)
    expect(seen).toEqual(['at once', 'done', 'late'])
    expect(clock.pending).toBe(0)
  })

  test('call back once, and not after they were cancelled', () => {
    const checkpoints = new Checkpoints(createVirtualClock())
    let [holds, calls, cancelled] = [false, 0, 0]
    checkpoints.when(
      () => holds,
      () => calls++,
    )
    const cancel = checkpoints.when(
      () => holds,
      () => cancelled++,
    )
    cancel()
    holds = true
    checkpoints.check()
    checkpoints.check()
    expect([calls, cancelled]).toEqual([1, 0])
  })

  test('let a callback add and cancel others', () => {
    const checkpoints = new Checkpoints(createVirtualClock())
    let holds = false
    const seen: string[] = []
    checkpoints.when(
      () => holds,
      () => {
        cancel()
        checkpoints.when(
          () => true,
          () => seen.push('added'),
        )
      },
    )
    const cancel = checkpoints.when(
      () => holds,
      () => seen.push('cancelled'),
    )
    holds = true
    checkpoints.check()
    expect(seen).toEqual(['added'])
  })
})
