import type { Clock } from '@posthorn/transport/driver'

/** What hands out; answers whether it has. */
interface Pump {
  pump(): boolean
}

/** Lets one scope hand out at a time: what it hands out changes the windows of the others, at the end of the turn. */
export class PumpTurns {
  private readonly clock: Clock
  private readonly waiting = new Set<Pump>()
  private isArmed = false

  constructor(clock: Clock) {
    this.clock = clock
  }

  add(pump: Pump): void {
    this.waiting.add(pump)
    this.arm()
  }

  private arm(): void {
    if (this.isArmed || this.waiting.size === 0) return
    this.isArmed = true
    this.clock.defer(() => {
      this.isArmed = false
      for (const pump of this.waiting) {
        this.waiting.delete(pump)
        if (pump.pump()) break
      }
      this.arm()
    })
  }
}
