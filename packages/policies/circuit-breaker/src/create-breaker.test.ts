import { isPosthornError, PosthornError } from '@posthorn/transport'
import { createVirtualClock, type VirtualClock } from '@posthorn/transport/testing'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import {
  CircuitOpenError,
  createBreaker,
  type Breaker,
  type BreakerChange,
  type BreakerOptions,
} from './index.ts'

let clock: VirtualClock
beforeEach(() => {
  clock = createVirtualClock()
})

const make = (options: Partial<BreakerOptions> = {}): Breaker =>
  createBreaker({
    name: 'bank',
    clock,
    minimumCalls: 2,
    resetMs: 1_000,
    jitter: 'none',
    ...options,
  })

const no = new Error('no')
const fail = (breaker: Breaker, error: unknown = no): Promise<unknown> =>
  breaker.execute(() => Promise.reject(error)).catch((thrown: unknown) => thrown)

async function opened(options: Partial<BreakerOptions> = {}): Promise<Breaker> {
  const breaker = make(options)
  for (let call = 0; call < (options.minimumCalls ?? 2); call++) await fail(breaker)
  expect(breaker.state).toBe('open')
  return breaker
}

/** A call that ends when the test says so. */
function pending(breaker: Breaker): { readonly answer: Promise<unknown>; end(error?: unknown): void } {
  let end: (error?: unknown) => void = () => {}
  const answer = breaker
    .execute(
      () =>
        new Promise((resolve, reject) => {
          end = (error) => (error === undefined ? resolve('done') : reject(error))
        }),
    )
    .catch((error: unknown) => error)
  return { answer, end: (error) => end(error) }
}

describe('execute', () => {
  test('answers what the function answers, and throws what it throws', async () => {
    const breaker = make()
    expect(await breaker.execute(() => 5)).toBe(5)
    expect(await breaker.execute(async () => undefined)).toBeUndefined()
    expect(await fail(breaker)).toBe(no)
    const throws = (): never => {
      throw no
    }
    await expect(breaker.execute(throws)).rejects.toBe(no)
    expect(breaker.counts()).toMatchObject({ succeeded: 2, failed: 2 })
  })

  test('rejects at once while it is open, and says until when', async () => {
    const breaker = await opened()
    await clock.advance(400)
    const call = vi.fn<() => void>()
    const error = await breaker.execute(call).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(CircuitOpenError)
    expect(error).toMatchObject({
      code: 'POSTHORN_CIRCUIT_OPEN',
      retryable: true,
      breaker: 'bank',
      retryAfterMs: 600,
      message:
        'The circuit breaker "bank" is open (50 % or more of its calls failed), so nothing was tried. Try again after 600 ms.',
    })
    expect(isPosthornError(error)).toBe(true)
    expect(call).not.toHaveBeenCalled()
    expect(breaker.counts()).toMatchObject({ rejected: 1, opened: 1 })
  })

  test('closes after a trial call that succeeds', async () => {
    const breaker = await opened()
    await clock.advance(1_000)
    expect(await breaker.execute(() => 'back')).toBe('back')
    expect(breaker.state).toBe('closed')
  })

  test('gives each call a signal of its own, and aborts it when its time is over', async () => {
    const breaker = make({ timeoutMs: 100, minimumCalls: 3 })
    const signals: AbortSignal[] = []
    const hang = breaker.execute(({ signal }) => {
      signals.push(signal)
      return new Promise(() => {})
    })
    void hang.catch(() => {})
    await clock.advance(50)
    const later = breaker.execute(({ signal }) => {
      signals.push(signal)
      return new Promise((resolve) => void clock.setTimer(() => resolve('in time'), 90))
    })
    await clock.advance(50)
    await expect(hang).rejects.toMatchObject({ code: 'POSTHORN_TIMEOUT', retryable: true })
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
    await clock.advance(50)
    expect(await later).toBe('in time')
    expect(signals[1]?.aborted).toBe(false)
    expect(breaker.counts()).toMatchObject({ failed: 1, succeeded: 1 })
    expect(clock.pending).toBe(0)
  })

  test('counts a call whose time was over once, however it ends', async () => {
    const breaker = make({ timeoutMs: 100 })
    const call = pending(breaker)
    await clock.advance(100)
    call.end()
    expect(await call.answer).toMatchObject({ code: 'POSTHORN_TIMEOUT' })
    await clock.advance(0)
    expect(breaker.counts()).toMatchObject({ failed: 1, succeeded: 0 })
  })

  test('does not count what its caller broke off', async () => {
    const breaker = make({ minimumCalls: 1 })
    const controller = new AbortController()
    const call = breaker.execute(
      ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(no))),
      { signal: controller.signal },
    )
    controller.abort()
    await expect(call).rejects.toBe(no)
    const before = breaker.execute(() => 1, { signal: controller.signal })
    await expect(before).rejects.toMatchObject({ code: 'POSTHORN_ABORTED' })
    expect([breaker.state, breaker.counts()]).toMatchObject(['closed', { ignored: 1, failed: 0 }])
  })

  test('has no timers, so it keeps no process alive', async () => {
    const breaker = await opened()
    expect(clock.pending).toBe(0)
    await clock.advance(1_000)
    expect([breaker.state, clock.pending]).toEqual(['half-open', 0])
  })
})

describe('opening', () => {
  test('takes more than the first failure', async () => {
    const breaker = make({ minimumCalls: 10 })
    for (let call = 0; call < 9; call++) await fail(breaker)
    expect(breaker.state).toBe('closed')
    await fail(breaker)
    expect(breaker.state).toBe('open')
  })

  test('comes of slow calls, though they succeed', async () => {
    const breaker = make({ slowMs: 100, slowRate: 0.5, minimumCalls: 4 })
    const slow = async (ms: number): Promise<void> => {
      const call = breaker.execute(() => new Promise<void>((resolve) => void clock.setTimer(resolve, ms)))
      await clock.advance(ms)
      await call
    }
    for (const ms of [99, 100, 99]) await slow(ms)
    expect(breaker.state).toBe('closed')
    await slow(100)
    expect(breaker.health()).toMatchObject({ state: 'open', reason: '50 % or more of its calls were slow' })
    expect(breaker.counts()).toMatchObject({ succeeded: 4, slow: 2, failed: 0 })
  })

  test('is not the same for breakers that were given the same options', async () => {
    const options = { name: 'bank', clock, minimumCalls: 1 }
    const [one, other] = [createBreaker(options), createBreaker(options)]
    await fail(one)
    expect([one.state, other.state]).toEqual(['open', 'closed'])
    expect(Object.keys(options)).toEqual(['name', 'clock', 'minimumCalls'])
  })

  test('grows longer each time the trial calls fail, up to a bound', async () => {
    const breaker = await opened({ maxResetMs: 3_000 })
    const lengths: number[] = []
    for (let time = 0; time < 4; time++) {
      const { since, retryAt = 0 } = breaker.health()
      lengths.push(retryAt - since)
      await clock.advanceTo(retryAt)
      await fail(breaker)
    }
    expect(lengths).toEqual([1_000, 2_000, 3_000, 3_000])
  })

  test('lasts as long as before again once it was closed', async () => {
    const breaker = await opened()
    await clock.advance(1_000)
    await fail(breaker)
    await clock.advance(2_000)
    await breaker.execute(() => 'back')
    await fail(breaker)
    await fail(breaker)
    const { since, retryAt } = breaker.health()
    expect((retryAt ?? 0) - since).toBe(1_000)
  })

  test('is spread by jitter that only adds', async () => {
    const lengths = new Set<number>()
    for (let seed = 1; seed <= 20; seed++) {
      clock = createVirtualClock({ seed })
      const { since, retryAt = 0 } = (await opened({ jitter: 'full' })).health()
      lengths.add(retryAt - since)
    }
    expect(lengths.size).toBeGreaterThan(15)
    for (const length of lengths) {
      expect(length).toBeGreaterThanOrEqual(1_000)
      expect(length).toBeLessThan(2_000)
    }
  })
})

describe('half-open', () => {
  test('lets exactly as many calls in as it is told', async () => {
    const breaker = await opened({ probes: 3 })
    await clock.advance(1_000)
    const calls = Array.from({ length: 10 }, () => pending(breaker))
    const rejected = await Promise.all(calls.slice(3).map(({ answer }) => answer))
    expect(rejected.map((error) => (error as PosthornError).code)).toEqual(
      Array(7).fill('POSTHORN_CIRCUIT_OPEN'),
    )
    for (const call of calls.slice(0, 3)) call.end()
    await Promise.all(calls.map(({ answer }) => answer))
    expect(breaker.state).toBe('closed')
  })

  test('is judged by the rate of its trial calls', async () => {
    const breaker = await opened({ probes: 4, failureRate: 0.5 })
    await clock.advance(1_000)
    await fail(breaker)
    await breaker.execute(() => 1)
    await breaker.execute(() => 1)
    expect(breaker.state).toBe('half-open')
    await breaker.execute(() => 1)
    expect(breaker.state).toBe('closed')
  })

  test('opens again when a trial call hangs', async () => {
    const breaker = await opened({ maxProbeMs: 5_000 })
    await clock.advance(1_000)
    const hung = pending(breaker)
    await clock.advance(4_999)
    expect(breaker.state).toBe('half-open')
    await clock.advance(1)
    expect(breaker.health()).toMatchObject({
      state: 'open',
      reason: '1 of 1 trial calls did not end in time',
    })
    await clock.advance(2_000)
    expect(breaker.state).toBe('half-open')
    // Too late to say anything about the dependency.
    hung.end()
    await hung.answer
    expect([breaker.state, breaker.counts().late]).toEqual(['half-open', 1])
    await breaker.execute(() => 1)
    expect(breaker.state).toBe('closed')
  })

  test('waits for the end of calls only, not for their beginning', async () => {
    const breaker = await opened({ maxProbeMs: 5_000, probes: 2, failureRate: 1 })
    await clock.advance(1_000)
    await breaker.execute(() => 1)
    await clock.advance(60_000)
    const second = pending(breaker)
    await clock.advance(4_999)
    expect(breaker.state).toBe('half-open')
    second.end()
    await second.answer
    expect(breaker.state).toBe('closed')
  })

  test('waits for a first call as long as none comes', async () => {
    const breaker = await opened({ maxProbeMs: 5_000 })
    await clock.advance(100_000)
    expect(breaker.state).toBe('half-open')
  })

  test('takes another trial call for one that says nothing', async () => {
    const breaker = await opened({ record: (error) => error === no })
    await clock.advance(1_000)
    await fail(breaker, new Error('not found'))
    expect(breaker.state).toBe('half-open')
    await breaker.execute(() => 1)
    expect([breaker.state, breaker.counts().ignored]).toEqual(['closed', 1])
  })

  test('does not close by a call that had begun before it opened', async () => {
    const breaker = make()
    const early = pending(breaker)
    await fail(breaker)
    await fail(breaker)
    expect(breaker.state).toBe('open')
    early.end()
    await early.answer
    expect(breaker.state).toBe('open')
    await clock.advance(1_000)
    expect(breaker.state).toBe('half-open')
  })
})

describe('by hand', () => {
  test('stays open until it is reset', async () => {
    const breaker = make()
    breaker.isolate()
    await clock.advance(86_400_000)
    expect(await breaker.execute(() => 1).catch((error: unknown) => error)).toMatchObject({
      retryAfterMs: undefined,
      message: 'The circuit breaker "bank" is isolated by hand, so nothing was tried. Try again later.',
    })
    breaker.reset()
    expect(await breaker.execute(() => 1)).toBe(1)
  })

  test('a reset forgets what it has counted', async () => {
    const breaker = make({ minimumCalls: 3 })
    await fail(breaker)
    await fail(breaker)
    breaker.reset()
    await fail(breaker)
    expect([breaker.state, breaker.health().window]).toEqual(['closed', { calls: 1, failed: 1, slow: 0 }])
  })
})

describe('whose failure it is', () => {
  test.each<[string, unknown, number]>([
    ['an error', no, 1],
    ['an error that may pass', new PosthornError('POSTHORN_TIMEOUT', 'x', { retryable: true }), 1],
    ['bad input', new PosthornError('POSTHORN_INVALID_DATA', 'x'), 0],
    ['another breaker', new CircuitOpenError('mail', 'open', 5, 'handle'), 0],
    ['a stop', new PosthornError('POSTHORN_CLOSED', 'x', { retryable: true }), 0],
    ['a call that is made already', new PosthornError('POSTHORN_IN_PROGRESS', 'x', { retryable: true }), 0],
    ['nothing', undefined, 1],
  ])('%s', async (_, error, failed) => {
    const breaker = make()
    await fail(breaker, error)
    expect(breaker.counts()).toMatchObject({ failed, ignored: 1 - failed })
  })

  test('errors of a store and of other breakers do not even get to the predicate', async () => {
    const record = vi.fn<() => boolean>(() => true)
    const breaker = make({ record })
    const store = new PosthornError('POSTHORN_TIMEOUT', 'x', { retryable: true })
    Object.defineProperty(store, Symbol.for('posthorn.store-error'), { value: true })
    await fail(breaker, store)
    await fail(breaker, new CircuitOpenError('mail', 'open', 5, 'handle'))
    expect(record).not.toHaveBeenCalled()
    await fail(breaker, new PosthornError('POSTHORN_INVALID_DATA', 'x'))
    expect(breaker.counts()).toMatchObject({ failed: 1, ignored: 2 })
  })

  test('a predicate that throws counts, and warns', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const broken = new Error('broken')
    const breaker = make({
      record: () => {
        throw broken
      },
    })
    await fail(breaker)
    expect(breaker.counts().failed).toBe(1)
    expect(warn).toHaveBeenCalledWith(broken)
    warn.mockRestore()
  })
})

describe('changes', () => {
  test('are told, with the reason, until nobody wants to hear of them', async () => {
    const changes: BreakerChange[] = []
    const breaker = make()
    const stop = breaker.onChange((change) => changes.push(change))
    await fail(breaker)
    await fail(breaker)
    await clock.advance(1_000)
    await breaker.execute(() => 1)
    expect(changes.map(({ from, to, reason }) => `${from} > ${to}: ${reason}`)).toEqual([
      'closed > open: 50 % or more of its calls failed',
      'open > half-open: its time has passed',
      'half-open > closed: its trial calls succeeded',
    ])
    expect(changes[0]).toMatchObject({ breaker: 'bank', at: clock.now() - 1_000, retryAt: clock.now() })
    stop()
    breaker.isolate()
    expect(changes.length).toBe(3)
  })

  test('are told to all, though one of them throws', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const breaker = make()
    const heard = vi.fn<() => void>()
    breaker.onChange(() => {
      throw no
    })
    breaker.onChange(heard)
    breaker.isolate()
    expect([heard.mock.calls.length, warn.mock.calls[0]?.[0], breaker.state]).toEqual([1, no, 'isolated'])
    warn.mockRestore()
  })
})

describe('options', () => {
  test.each<[unknown, string]>([
    [{}, 'createBreaker().name must be'],
    [{ name: 'x', failureRate: 0 }, 'failureRate'],
    [{ name: 'x', failureRate: 50 }, 'failureRate'],
    [{ name: 'x', minimumCalls: 0 }, 'minimumCalls'],
    [{ name: 'x', windowMs: 5 }, 'windowMs'],
    [{ name: 'x', slowRate: 0.5 }, 'slowMs, which says what is slow, is missing'],
    [{ name: 'x', resetMs: 10, maxResetMs: 5 }, 'maxResetMs is 5, below resetMs, 10'],
    [{ name: 'x', resetFactor: 0.5 }, 'resetFactor'],
    [{ name: 'x', probes: 0 }, 'probes'],
    [{ name: 'x', errorThresholdPercentage: 50 }, 'errorThresholdPercentage'],
    [{ name: 'x', timeout: 5 }, 'Did you mean "timeoutMs"?'],
  ])('%j are refused', (options, named) => {
    expect(() => createBreaker(options as BreakerOptions)).toThrow(named)
  })

  test('that are undefined are those left out', () => {
    expect(createBreaker({ name: 'x', failureRate: undefined } as never).state).toBe('closed')
  })
})
