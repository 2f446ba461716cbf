import type { BreakerCounts } from './breaker.ts'
import type { BreakerSettings } from './breaker-options.ts'
import type { BreakerState } from './breaker-state.ts'
import { isDependencys, type CallPlace } from './whose-error.ts'

export type MutableCounts = { -readonly [Name in keyof BreakerCounts]: number }

export interface CallsHost {
  readonly settings: BreakerSettings
  readonly state: BreakerState
  readonly counts: MutableCounts
  readonly report: (error: unknown) => void
  /** What may begin has changed. */
  readonly permitsChanged: () => void
}

/** A call that was let in, until it is known how it ended; the first answer is the one that counts. */
export class Call {
  private readonly host: CallsHost
  private readonly turn: number
  private readonly startedAt: number
  private cancelTimeout: (() => void) | undefined = undefined
  private isOver = false

  constructor(host: CallsHost, turn: number, now: number) {
    this.host = host
    this.turn = turn
    this.startedAt = now
  }

  /** Lets a call in, or not. `onTimeout` is called when it has taken too long, and counts as failed. */
  static begin(host: CallsHost, onTimeout?: () => void): Call | undefined {
    const { state, settings, counts } = host
    const { clock, timeoutMs } = settings
    const now = clock.now()
    const turn = state.begin(now)
    if (turn === 0) {
      counts.rejected++
      return undefined
    }
    const call = new Call(host, turn, now)
    if (timeoutMs !== Infinity) {
      call.cancelTimeout = clock.setTimer(() => {
        call.end(true)
        onTimeout?.()
      }, timeoutMs)
    }
    if (state.name !== 'closed') host.permitsChanged()
    return call
  }

  succeeded(): void {
    this.end(false)
  }

  /** Answers whether the failure is the dependency's. */
  failedWith(error: unknown, place: CallPlace): boolean {
    const { settings, report } = this.host
    const isFailure = isDependencys(error, place, settings.record, report)
    if (isFailure) this.end(true)
    else this.ignore()
    return isFailure
  }

  ignore(): void {
    if (!this.close()) return
    const { state, settings, counts, permitsChanged } = this.host
    counts.ignored++
    state.ignore(this.turn, settings.clock.now())
    if (state.name !== 'closed') permitsChanged()
  }

  private end(failed: boolean): void {
    if (!this.close()) return
    const { state, settings, counts } = this.host
    const now = settings.clock.now()
    const slow = now - this.startedAt >= settings.slowMs
    if (failed) counts.failed++
    else counts.succeeded++
    if (slow) counts.slow++
    if (!state.end(this.turn, { failed, slow }, now)) counts.late++
    if (state.name !== 'closed') this.host.permitsChanged()
  }

  private close(): boolean {
    if (this.isOver) return false
    this.isOver = true
    this.cancelTimeout?.()
    return true
  }
}
