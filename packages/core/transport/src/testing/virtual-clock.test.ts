import { describe, expect, test, vi } from 'vitest'
import { createVirtualClock } from './virtual-clock.ts'
import type { VirtualClock } from './virtual-clock.ts'

const day = 86_400_000

const delay = (clock: VirtualClock, ms: number): Promise<void> =>
  new Promise((resolve) => {
    clock.setTimer(resolve, ms)
  })

const deferred = (clock: VirtualClock): Promise<void> => new Promise((resolve) => clock.defer(resolve))

describe('createVirtualClock', () => {
  test('stands still but for advance', async () => {
    const clock = createVirtualClock({ startAt: 1_000 })
    await deferred(clock)

    expect(clock.now()).toBe(1_000)
    await clock.advance(250)
    expect(clock.now()).toBe(1_250)
    await clock.advanceTo(2_000)
    expect(clock.now()).toBe(2_000)
  })

  test('lets three days pass', async () => {
    const clock = createVirtualClock()
    const startedAt = clock.now()
    let firedAt: number | undefined
    clock.setTimer(() => {
      firedAt = clock.now()
    }, 3 * day)

    await clock.advance(3 * day - 1)
    expect(firedAt).toBeUndefined()
    await clock.advance(1)
    expect(firedAt).toBe(startedAt + 3 * day)
  })

  test('fires timers in the order of their time, and those of one instant as they were set', async () => {
    const clock = createVirtualClock({ startAt: 0 })
    const fired: string[] = []
    for (const [name, ms] of [
      ['c', 20],
      ['a', 10],
      ['d', 20],
      ['b', 10],
      ['e', 20],
    ] as const) {
      clock.setTimer(() => fired.push(`${name}@${clock.now()}`), ms)
    }

    await clock.advance(20)

    expect(fired).toEqual(['a@10', 'b@10', 'c@20', 'd@20', 'e@20'])
  })

  test('lets promises and deferred callbacks go on to their end between two timers', async () => {
    const clock = createVirtualClock({ startAt: 0 })
    const log: string[] = []
    async function work(name: string): Promise<void> {
      for (let step = 0; step < 5; step += 1) {
        await Promise.resolve()
        await deferred(clock)
      }
      log.push(`${name} ended at ${clock.now()}`)
    }
    clock.setTimer(() => void work('first'), 10)
    clock.setTimer(() => void work('second'), 10)
    clock.setTimer(() => log.push(`third at ${clock.now()}`), 11)

    await clock.advance(50)

    expect(log).toEqual(['first ended at 10', 'second ended at 10', 'third at 11'])
  })

  test('fires timers that were set on the way', async () => {
    const clock = createVirtualClock({ startAt: 0 })
    const ticks: number[] = []
    void (async () => {
      for (let tick = 0; tick < 5; tick += 1) {
        await delay(clock, 10)
        ticks.push(clock.now())
      }
    })()

    await clock.advance(35)

    expect(ticks).toEqual([10, 20, 30])
    expect(clock.pending).toBe(1)
  })

  test('fires a timer without a delay only when told to go on', async () => {
    const clock = createVirtualClock()
    const callback = vi.fn<() => void>()
    clock.setTimer(callback, 0)
    clock.setTimer(callback, Number.NaN)
    await deferred(clock)

    expect(callback).not.toHaveBeenCalled()
    await clock.advance(0)
    expect(callback).toHaveBeenCalledTimes(2)
  })

  test('does not fire what was cancelled, and takes it from pending at once', async () => {
    const clock = createVirtualClock()
    const callback = vi.fn<() => void>()
    const cancel = clock.setTimer(callback, 10)
    clock.setTimer(() => undefined, 20)

    cancel()
    cancel()

    expect(clock.pending).toBe(1)
    await clock.advance(100)
    expect(callback).not.toHaveBeenCalled()
    expect(clock.pending).toBe(0)
  })

  test('takes cancelling a timer that has fired as nothing', async () => {
    const clock = createVirtualClock()
    const cancel = clock.setTimer(() => undefined, 10)
    clock.setTimer(() => undefined, 20)
    await clock.advance(10)

    cancel()

    expect(clock.pending).toBe(1)
  })

  test('keeps count while a million timers are set and cancelled', async () => {
    const clock = createVirtualClock({ startAt: 0 })
    for (let index = 0; index < 1_000_000; index += 1) clock.setTimer(() => undefined, day)()

    expect(clock.pending).toBe(0)
    await clock.advance(2 * day)
    expect(clock.now()).toBe(2 * day)
  })

  test('moves once at a time when told twice at once', async () => {
    const clock = createVirtualClock({ startAt: 0 })
    const fired: number[] = []
    clock.setTimer(() => fired.push(clock.now()), 10)
    clock.setTimer(() => fired.push(clock.now()), 15)

    await Promise.all([clock.advance(10), clock.advance(10)])

    expect(clock.now()).toBe(20)
    expect(fired).toEqual([10, 15])
  })

  test('may be told to move on by a timer', async () => {
    const clock = createVirtualClock({ startAt: 0 })
    let inner: Promise<void> | undefined
    clock.setTimer(() => {
      inner = clock.advance(5)
    }, 10)

    await clock.advance(10)
    await inner

    expect(clock.now()).toBe(15)
  })

  test('rejects with what a timer throws, and can go on', async () => {
    const clock = createVirtualClock({ startAt: 0 })
    clock.setTimer(() => {
      throw new Error('from a timer')
    }, 10)

    await expect(clock.advance(20)).rejects.toThrow('from a timer')
    await clock.advance(20)
    expect(clock.now()).toBe(30)
  })

  test('refuses to go back, and delays that are none', async () => {
    const clock = createVirtualClock({ startAt: 1_000 })

    await expect(clock.advanceTo(999)).rejects.toMatchObject({ code: 'POSTHORN_INVALID_OPTION' })
    await expect(clock.advance(-1)).rejects.toMatchObject({ code: 'POSTHORN_INVALID_OPTION' })
    await expect(clock.runUntil(() => true, { maxMs: -1 })).rejects.toThrow('runUntil.maxMs')
    await expect(clock.advance(Number.NaN)).rejects.toMatchObject({ code: 'POSTHORN_INVALID_OPTION' })
    expect(() => createVirtualClock({ seed: -1 })).toThrow('createVirtualClock().seed')
  })

  test('gives the same random numbers for the same seed', () => {
    const take = (seed: number): number[] => {
      const clock = createVirtualClock({ seed })
      return Array.from({ length: 10 }, () => clock.random())
    }

    expect(take(5)).toEqual(take(5))
    expect(take(5)).not.toEqual(take(6))
  })
})

describe('runUntil', () => {
  test('goes on to the timer after which the condition holds, and no further', async () => {
    const clock = createVirtualClock({ startAt: 0 })
    let count = 0
    const tick = (): void => {
      count += 1
      clock.setTimer(tick, 1_000)
    }
    clock.setTimer(tick, 1_000)

    await clock.runUntil(() => count === 3)

    expect(clock.now()).toBe(3_000)
    expect(count).toBe(3)
  })

  test('waits for promises before it looks for the first time', async () => {
    const clock = createVirtualClock({ startAt: 0 })
    let done = false
    void deferred(clock).then(() => {
      done = true
    })

    await clock.runUntil(() => done)

    expect(clock.now()).toBe(0)
  })

  test('rejects when there is no timer that could change anything', async () => {
    const clock = createVirtualClock({ startAt: 0 })
    clock.setTimer(() => undefined, 500)

    await expect(clock.runUntil(() => false)).rejects.toMatchObject({
      code: 'POSTHORN_TIMEOUT',
      message: expect.stringContaining('after 500 ms, and no timer is left') as unknown,
    })
  })

  test('rejects when only a timer for the end of time is left', async () => {
    const clock = createVirtualClock()
    clock.setTimer(() => undefined, Infinity)

    await expect(clock.runUntil(() => false)).rejects.toThrow('no timer is left')
  })

  test('rejects at maxMs, with the clock there', async () => {
    const clock = createVirtualClock({ startAt: 0 })
    const tick = (): void => void clock.setTimer(tick, 400)
    tick()

    await expect(clock.runUntil(() => false, { maxMs: 1_000 })).rejects.toThrow('after 1000 ms (maxMs)')
    expect(clock.now()).toBe(1_000)
  })
})
