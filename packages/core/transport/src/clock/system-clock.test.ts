import { afterEach, describe, expect, test, vi } from 'vitest'
import { systemClock } from './system-clock.ts'

const longestTimeout = 2 ** 31 - 1

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const countTimeouts = (): number =>
  process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length

describe('systemClock', () => {
  test('tells the time and random numbers of the system', () => {
    vi.useFakeTimers({ now: 1_700_000_000_000 })
    vi.spyOn(Math, 'random').mockReturnValue(0.25)

    expect(systemClock.now()).toBe(1_700_000_000_000)
    expect(systemClock.random()).toBe(0.25)
  })

  test('calls back once, and not before the delay has passed', () => {
    vi.useFakeTimers()
    const callback = vi.fn<() => void>()
    systemClock.setTimer(callback, 1_000)

    vi.advanceTimersByTime(999)
    expect(callback).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(callback).toHaveBeenCalledTimes(1)
    vi.advanceTimersByTime(10_000)
    expect(callback).toHaveBeenCalledTimes(1)
  })

  test('waits longer than the platform can in one timer', () => {
    vi.useFakeTimers()
    const callback = vi.fn<() => void>()
    systemClock.setTimer(callback, 2 * longestTimeout + 5_000)

    vi.advanceTimersByTime(2 * longestTimeout + 4_999)
    expect(callback).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(callback).toHaveBeenCalledTimes(1)
  })

  test('cancels also in a later part of a long wait', () => {
    vi.useFakeTimers()
    const callback = vi.fn<() => void>()
    const cancel = systemClock.setTimer(callback, 3 * longestTimeout)

    vi.advanceTimersByTime(longestTimeout + 1)
    cancel()
    cancel()

    expect(vi.getTimerCount()).toBe(0)
    vi.advanceTimersByTime(3 * longestTimeout)
    expect(callback).not.toHaveBeenCalled()
  })

  test('waits on when the platform fires a part of a millisecond early', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    let elapsed = 0.4
    vi.spyOn(performance, 'now').mockImplementation(() => elapsed)
    const callback = vi.fn<() => void>()
    systemClock.setTimer(callback, 10)

    elapsed = 10.1
    vi.advanceTimersByTime(10)
    expect(callback).not.toHaveBeenCalled()
    elapsed = 10.9
    vi.advanceTimersByTime(1)
    expect(callback).toHaveBeenCalledTimes(1)
  })

  test.each([0, -5, Number.NaN])('takes a delay of %s as none', (delayMs) => {
    vi.useFakeTimers()
    const callback = vi.fn<() => void>()
    systemClock.setTimer(callback, delayMs)

    vi.advanceTimersByTime(1)

    expect(callback).toHaveBeenCalledTimes(1)
  })

  test('keeps the process alive while a timer is set', () => {
    const before = countTimeouts()
    const cancel = systemClock.setTimer(() => undefined, 1_000_000)
    const during = countTimeouts()
    cancel()

    expect(during).toBe(before + 1)
    expect(countTimeouts()).toBe(before)
  })

  test('defers past the promises of this turn', async () => {
    const order: string[] = []
    const deferred = new Promise<void>((resolve) => {
      systemClock.defer(() => {
        order.push('deferred')
        resolve()
      })
    })
    void Promise.resolve()
      .then(() => undefined)
      .then(() => order.push('promise'))

    await deferred

    expect(order).toEqual(['promise', 'deferred'])
  })
})
