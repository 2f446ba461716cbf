import { systemClock } from '../clock/system-clock.ts'
import type { Clock } from '../contract/clock.ts'

const dayMs = 86_400_000

/** Keeps the process alive while somebody is connected, as a socket would. On other clocks a test does that itself. */
export class KeepAlive {
  private readonly clock: Clock
  private cancel: (() => void) | undefined = undefined

  constructor(clock: Clock) {
    this.clock = clock
  }

  start(): void {
    if (this.clock === systemClock && this.cancel === undefined) this.arm()
  }

  stop(): void {
    this.cancel?.()
    this.cancel = undefined
  }

  private arm(): void {
    this.cancel = this.clock.setTimer(() => this.arm(), dayMs)
  }
}
