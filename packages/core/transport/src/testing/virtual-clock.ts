import { createSeededRandom } from './seeded-random.ts'
import { createTimerHeap } from './timer-heap.ts'
import { systemClock } from '../clock/system-clock.ts'
import { PosthornError } from '../errors.ts'
import { checkOptions, duration, wholeNumber } from '../options/check-options.ts'
import type { HeapTimer } from './timer-heap.ts'
import type { Clock } from '../contract/clock.ts'

export interface VirtualClockOptions {
  /** Of the random numbers. A whole number from 0. Default 1. */
  readonly seed?: number
  /** Epoch milliseconds. Default: 2026-01-01 in UTC. */
  readonly startAt?: number
}

export interface RunUntilOptions {
  /** Milliseconds of virtual time after which it gives up. Default: none. */
  readonly maxMs?: number
}

/**
 * A clock whose time moves only when a test says so. Between two timers, everything that waits for a promise or for
 * `defer` goes on until nothing more can, so code that takes all time from its clock runs the same way every time.
 * `defer` calls back by itself, without `advance`.
 */
export interface VirtualClock extends Clock {
  /** Moves on by `ms` milliseconds and fires the timers due by then, in order. Rejects with what a timer throws. */
  advance(ms: number): Promise<void>
  /** Moves on to a moment in epoch milliseconds, which must not be in the past. */
  advanceTo(epochMs: number): Promise<void>
  /** Moves on from timer to timer until `condition` holds; rejects when there is no timer left or `maxMs` have passed. */
  runUntil(condition: () => boolean, options?: RunUntilOptions): Promise<void>
  /** Timers that are set and have neither fired nor been cancelled. */
  readonly pending: number
}

const defaultStart = Date.UTC(2026, 0, 1)

export function createVirtualClock(options: VirtualClockOptions = {}): VirtualClock {
  checkOptions('createVirtualClock()', options, { seed: wholeNumber(), startAt: duration() })
  const random = createSeededRandom(options.seed ?? 1)
  const timers = createTimerHeap()
  let now = options.startAt ?? defaultStart
  let order = 0
  let deferred = 0
  let queue: Promise<unknown> = Promise.resolve()

  /** Ends when nothing can go on without a timer. */
  async function settle(): Promise<void> {
    // The second quiet turn is for callers that wait a turn by other means.
    for (let quiet = 0; quiet < 2; quiet += 1) {
      await new Promise<void>((resolve) => systemClock.defer(resolve))
      if (deferred > 0) quiet = -1
    }
  }

  async function fire(timer: HeapTimer): Promise<void> {
    timers.pop()
    timer.cancelled = true
    now = Math.max(now, timer.dueAt)
    timer.callback()
    await settle()
  }

  async function moveTo(target: number): Promise<void> {
    await settle()
    for (let next = timers.peek(); next !== undefined && next.dueAt <= target; next = timers.peek())
      await fire(next)
    now = Math.max(now, target)
  }

  async function moveUntil(condition: () => boolean, maxMs: number): Promise<void> {
    const startedAt = now
    await settle()
    while (!condition()) {
      const next = timers.peek()
      if (next === undefined || next.dueAt === Infinity) {
        throw new PosthornError(
          'POSTHORN_TIMEOUT',
          `runUntil: the condition does not hold after ${now - startedAt} ms, and no timer is left that could change it.`,
        )
      }
      if (next.dueAt > startedAt + maxMs) {
        now = startedAt + maxMs
        throw new PosthornError(
          'POSTHORN_TIMEOUT',
          `runUntil: the condition does not hold after ${maxMs} ms (maxMs); ${timers.size} timers are left.`,
        )
      }
      await fire(next)
    }
  }

  /** One move at a time, in the order of the calls. */
  function enqueue(move: () => Promise<void>): Promise<void> {
    const moved = queue.then(move)
    queue = moved.catch(() => undefined)
    return moved
  }

  return {
    now: () => now,
    random,
    setTimer(callback, delayMs) {
      order += 1
      const timer: HeapTimer = { dueAt: now + (delayMs > 0 ? delayMs : 0), order, callback, cancelled: false }
      timers.push(timer)
      return () => timers.cancel(timer)
    },
    defer(callback) {
      deferred += 1
      systemClock.defer(() => {
        deferred -= 1
        callback()
      })
    },
    async advance(ms) {
      checkOptions('advance', { ms }, { ms: duration() })
      await enqueue(() => moveTo(now + ms))
    },
    async advanceTo(epochMs) {
      checkOptions('advanceTo', { epochMs }, { epochMs: duration({ min: now }) })
      await enqueue(() => moveTo(epochMs))
    },
    async runUntil(condition, options = {}) {
      checkOptions('runUntil', options, { maxMs: duration() })
      const { maxMs = Infinity } = options
      await enqueue(() => moveUntil(condition, maxMs))
    },
    get pending() {
      return timers.size
    },
  }
}
