import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { RollingRate } from './rolling-rate.ts'

const options = { threshold: 0.5, minimumCalls: 4, windowMs: 1_000 }

describe('a rolling rate', () => {
  test('is reached at its share, and not before there are enough calls', () => {
    const rate = new RollingRate(options, 0)
    expect([rate.add(true, 0), rate.add(true, 0), rate.add(true, 0)]).toEqual([false, false, false])
    expect(rate.counts(0)).toEqual({ calls: 3, bad: 3 })
    expect(rate.add(true, 0)).toBe(true)
  })

  test('is reached by the whole of the calls, where that is the share', () => {
    const rate = new RollingRate({ ...options, threshold: 1 }, 0)
    const answers = Array.from({ length: 4 }, () => rate.add(true, 0))
    expect(answers).toEqual([false, false, false, true])
  })

  test('forgets what is older than its window, in tenths', () => {
    const rate = new RollingRate(options, 500)
    rate.add(true, 500)
    rate.add(false, 1_499)
    expect(rate.counts(1_499)).toEqual({ calls: 2, bad: 1 })
    expect(rate.counts(1_500)).toEqual({ calls: 1, bad: 0 })
    expect(rate.counts(1_000_000)).toEqual({ calls: 0, bad: 0 })
  })

  test('keeps nothing of single calls', () => {
    const rate = new RollingRate({ ...options, threshold: 1 }, 0)
    for (let call = 0; call < 100_000; call++) rate.add(call % 2 === 0, 0)
    expect(rate.counts(0)).toEqual({ calls: 100_000, bad: 50_000 })
    const { status } = rate as unknown as { status: { window: { latencyTimes: number[] }[] } }
    expect(status.window.flatMap(({ latencyTimes }) => latencyTimes)).toEqual([])
  })

  test('has no timers, also when it is reached', () => {
    vi.useFakeTimers()
    const rate = new RollingRate({ ...options, minimumCalls: 1 }, 0)
    rate.add(false, 0)
    expect(vi.getTimerCount()).toBe(0)
    expect(rate.add(true, 0)).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
  })

  test('is that of the calls in its window, whenever they ended', () => {
    const call = fc.record({ afterMs: fc.integer({ min: 0, max: 400 }), isBad: fc.boolean() })
    fc.assert(
      fc.property(
        fc.array(call, { maxLength: 60 }),
        fc.integer({ min: 1, max: 10 }),
        fc.integer({ min: 1, max: 10 }),
        (calls, minimumCalls, tenths) => {
          const threshold = tenths / 10
          const rate = new RollingRate({ threshold, minimumCalls, windowMs: 1_000 }, 0)
          const ended: { readonly bucket: number; readonly isBad: boolean }[] = []
          let now = 0
          for (const { afterMs, isBad } of calls) {
            now += afterMs
            const bucket = Math.floor(now / 100)
            ended.push({ bucket, isBad })
            const counted = ended.filter((one) => one.bucket > bucket - 10)
            const bad = counted.filter((one) => one.isBad).length
            const reached = isBad && counted.length >= minimumCalls && bad * 10 >= tenths * counted.length
            expect(rate.add(isBad, now)).toBe(reached)
            if (reached) return
            expect(rate.counts(now)).toEqual({ calls: counted.length, bad })
          }
          rate.end()
        },
      ),
    )
  })
})
