import { FailureWarning } from './failure-warning.ts'
import type { Store, StoreError } from '@posthorn/store'
import type { MiddlewareRuntime } from '@posthorn/transport'

const firstProbeMs = 500
const longestProbeMs = 15_000

type GateRuntime = Pick<MiddlewareRuntime, 'source' | 'emit' | 'pause' | 'resume' | 'clock' | 'onClose'>

/** Stops the intake of a consumer while its store cannot be reached: without a record there must be no effect. */
export class StoreGate {
  private readonly store: Pick<Store, 'now'>
  private readonly runtime: GateRuntime
  private isShut = false
  private readonly warning = new FailureWarning()
  private isOver = false
  private cancelTimer: (() => void) | undefined

  constructor(store: Pick<Store, 'now'>, runtime: GateRuntime) {
    this.store = store
    this.runtime = runtime
    runtime.onClose(() => {
      this.isOver = true
      this.cancelTimer?.()
    })
  }

  /** The store did not answer as it should. Opens by itself when it does. */
  shut(error: StoreError): void {
    if (this.isShut || this.isOver) return
    this.isShut = true
    const { runtime } = this
    runtime.emit('callbackFailed', { where: `the store of idempotency in "${runtime.source}"`, error })
    // Waiting does not end it, so it is told to those who listen to nothing, too.
    if (!error.retryable) this.warning.failed(error)
    runtime.pause()
    this.probeIn(firstProbeMs)
  }

  private probeIn(delayMs: number): void {
    this.cancelTimer = this.runtime.clock.setTimer(() => {
      // One that is never answered must not keep it shut.
      this.probeIn(Math.min(2 * delayMs, longestProbeMs))
      this.store.now().then(
        () => this.open(),
        () => undefined,
      )
    }, delayMs)
  }

  private open(): void {
    if (!this.isShut || this.isOver) return
    this.isShut = false
    this.cancelTimer?.()
    this.runtime.resume()
  }
}
