import { createVirtualClock, type VirtualClock } from '@posthorn/transport/testing'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { retry, type RunAttempt } from './index.ts'

let clock: VirtualClock
beforeEach(() => {
  clock = createVirtualClock()
})

const settled = async <Result>(promise: Promise<Result>): Promise<Result | { error: unknown }> =>
  promise.catch((error: unknown) => ({ error }))

describe('run', () => {
  test('answers what the function answers, and tells it which attempt it is', async () => {
    const seen: number[] = []
    const answer = retry({ clock }).run(({ attempt }) => {
      seen.push(attempt)
      if (attempt < 3) throw new Error('not yet')
      return `on attempt ${attempt}`
    })
    await clock.advance(60_000)
    expect(await answer).toBe('on attempt 3')
    expect(seen).toEqual([1, 2, 3])
  })

  test('keeps to the schedule, and rejects with the last error', async () => {
    const times: number[] = []
    const policy = retry({ clock, maxAttempts: 4, backoff: { baseMs: 100, factor: 1.5 }, jitter: 'none' })
    const answer = settled(
      policy.run(async ({ attempt }) => {
        times.push(clock.now())
        throw new Error(`attempt ${attempt}`)
      }),
    )
    await clock.advance(60_000)
    expect(await answer).toEqual({ error: new Error('attempt 4') })
    expect(times.map((at) => at - times[0]!)).toEqual([0, 100, 250, 475])
  })

  test('keeps to rules for codes and types', async () => {
    const policy = retry({
      clock,
      when: [
        { types: 'http.get', maxAttempts: 2 },
        { codes: 'ENOENT', retry: false },
      ],
    })
    const call = vi.fn<(attempt: RunAttempt) => never>(() => {
      throw Object.assign(new Error('none'), { code: 'ENOENT' })
    })
    const rejected = Promise.all([settled(policy.run(call)), settled(policy.run(call, { type: 'http.get' }))])
    await clock.advance(60_000)
    await rejected
    expect(call.mock.calls.map(([{ attempt }]) => attempt)).toEqual([1, 1, 2])
  })

  test('ends at its time limit', async () => {
    const call = vi.fn<() => never>(() => {
      throw new Error('no')
    })
    const policy = retry({ clock, maxAttempts: 100, backoff: 1_000, jitter: 'none', maxElapsedMs: 2_500 })
    const answer = settled(policy.run(call))
    await clock.advance(60_000)
    expect(await answer).toEqual({ error: new Error('no') })
    expect(call).toHaveBeenCalledTimes(3)
  })

  test('ends in the middle of a wait when it is aborted, and leaves no timer', async () => {
    const controller = new AbortController()
    const error = new Error('no')
    const answer = settled(
      retry({ clock, backoff: 5_000, jitter: 'none' }).run(() => Promise.reject(error), {
        signal: controller.signal,
      }),
    )
    await clock.advance(100)
    controller.abort()
    expect(await answer).toMatchObject({
      error: {
        code: 'POSTHORN_ABORTED',
        cause: error,
        message:
          'retry.run() was aborted by its signal in the wait of 5 s after attempt 1, whose error is the cause.',
      },
    })
    expect(clock.pending).toBe(0)
  })

  test('calls nothing when it is aborted already, and does not try again what an abort ended', async () => {
    const reason = new Error('enough')
    const call = vi.fn<() => never>()
    const early = settled(retry({ clock }).run(call, { signal: AbortSignal.abort(reason) }))
    expect(await early).toMatchObject({ error: { code: 'POSTHORN_ABORTED', cause: reason } })
    expect(call).not.toHaveBeenCalled()

    const controller = new AbortController()
    const answer = retry({ clock }).run(
      async ({ signal }) => {
        controller.abort(reason)
        signal.throwIfAborted()
      },
      { signal: controller.signal },
    )
    await expect(answer).rejects.toBe(reason)
  })

  test('leaves no listener on its signal', async () => {
    const { signal } = new AbortController()
    const added = vi.spyOn(signal, 'addEventListener')
    const removed = vi.spyOn(signal, 'removeEventListener')
    const answer = settled(retry({ clock }).run(() => Promise.reject(new Error('no')), { signal }))
    await clock.advance(120_000)
    await answer
    expect([added.mock.calls.length, removed.mock.calls.length]).toEqual([4, 4])
  })

  test('uses the time of the system where none is given', async () => {
    const answer = await retry({ backoff: 0 }).run(({ attempt }) => {
      if (attempt === 1) throw new Error('no')
      return attempt
    })
    expect(answer).toBe(2)
  })

  test('refuses options that it does not know', async () => {
    await expect(retry().run(() => 1, { signa: 1 } as object)).rejects.toThrow('Did you mean "signal"?')
  })

  test('warns of a test that throws, and goes on as if it did not fit', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const broken = new Error('broken test')
    const throws = (): boolean => {
      throw broken
    }
    const answer = settled(
      retry({ clock, maxAttempts: 1, when: [{ test: throws, maxAttempts: 9 }] }).run(() =>
        Promise.reject(new Error('no')),
      ),
    )
    expect(await answer).toEqual({ error: new Error('no') })
    expect(warn).toHaveBeenCalledWith(broken)
    warn.mockRestore()
  })
})
