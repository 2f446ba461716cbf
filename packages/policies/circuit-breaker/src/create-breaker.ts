import type { Breaker } from './breaker.ts'
import { breakerSettings, type BreakerOptions } from './breaker-options.ts'
import { BreakerState, type BreakerChange } from './breaker-state.ts'
import type { MutableCounts } from './calls.ts'
import { consumeGuard, type Attachment, type GuardHost } from './consume-guard.ts'
import { execute } from './execute.ts'
import { publishGuard } from './publish-guard.ts'

/** Makes a breaker for one dependency, to be shared by all that calls it. It has timers only while it has consumers. */
export function createBreaker(options: BreakerOptions): Breaker {
  const settings = breakerSettings(options)
  const { name, clock } = settings
  const listeners = new Set<(change: BreakerChange) => void>()
  const attached = new Map<Attachment, { isPaused: boolean }>()
  const counts: MutableCounts = {
    succeeded: 0,
    failed: 0,
    slow: 0,
    ignored: 0,
    rejected: 0,
    late: 0,
    opened: 0,
  }
  let cancelTimer: (() => void) | undefined

  const changed = (change: BreakerChange): void => {
    if (change.to === 'open') counts.opened++
    for (const listener of [...listeners]) {
      try {
        listener(change)
      } catch (error) {
        report(error)
      }
    }
    sync()
  }
  const state = new BreakerState(settings, changed)

  /** Holds each consumer against the state. One that is resumed may begin calls meanwhile, so the state is asked each time. */
  const sync = (): void => {
    for (const [attachment, held] of [...attached]) {
      const pauses = state.name !== 'closed' && state.permits === 0
      if (held.isPaused === pauses) continue
      held.isPaused = pauses
      if (pauses) attachment.pause()
      else attachment.resume()
    }
    arm()
  }

  const arm = (): void => {
    cancelTimer?.()
    cancelTimer = undefined
    const { wakeAt } = state
    if (wakeAt === undefined || attached.size === 0) return
    cancelTimer = clock.setTimer(() => {
      cancelTimer = undefined
      state.tick(clock.now())
      if (cancelTimer === undefined) arm()
    }, wakeAt - clock.now())
  }

  const host: GuardHost = {
    settings,
    state,
    counts,
    report,
    permitsChanged: sync,
    attach(attachment) {
      attached.set(attachment, { isPaused: false })
      state.tick(clock.now())
      sync()
      return () => {
        attached.delete(attachment)
        arm()
      }
    },
  }

  return {
    name,
    get state() {
      state.tick(clock.now())
      return state.name
    },
    execute: (call, executeOptions) => execute(host, call, executeOptions),
    consume: (consumeOptions = {}) => consumeGuard(host, consumeOptions),
    publish: (publishOptions = {}) => publishGuard(host, publishOptions),
    isolate: () => state.isolate(clock.now()),
    reset: () => state.reset(clock.now()),
    health() {
      const now = clock.now()
      state.tick(now)
      const { name: current, since, reason, retryAt } = state
      return { name, state: current, since, reason, retryAt, window: state.window(now) }
    },
    counts: () => ({ ...counts }),
    onChange(listener) {
      const own = (change: BreakerChange): void => listener(change)
      listeners.add(own)
      return () => void listeners.delete(own)
    },
  }
}

/** There is nobody else to tell. */
function report(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error))
}
