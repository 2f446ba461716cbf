import { maxBatch } from './idempotency-options.ts'
import type { HeldClaim, RenewRequest } from '@posthorn/store'
import type { Clock } from '@posthorn/transport'

/** Renews the claims of what runs for long: at a third of their lease, so that two failures do no harm. */
export class LeaseKeeper {
  private readonly clock: Clock
  private readonly leaseMs: number
  private readonly renew: (requests: readonly RenewRequest[]) => Promise<readonly unknown[]>
  private readonly held = new Set<HeldClaim>()
  private cancelTimer: (() => void) | undefined

  constructor(
    clock: Clock,
    leaseMs: number,
    renew: (requests: readonly RenewRequest[]) => Promise<readonly unknown[]>,
  ) {
    this.clock = clock
    this.leaseMs = leaseMs
    this.renew = renew
  }

  hold(claim: HeldClaim): void {
    this.held.add(claim)
    this.cancelTimer ??= this.clock.setTimer(() => this.sweep(), this.leaseMs / 3)
  }

  drop(claim: HeldClaim): void {
    this.held.delete(claim)
    if (this.held.size === 0) this.stop()
  }

  stop(): void {
    this.cancelTimer?.()
    this.cancelTimer = undefined
  }

  private sweep(): void {
    const { leaseMs } = this
    const requests = [...this.held].map((claim) => ({ ...claim, leaseMs }))
    // Who has lost its claim is told when it completes; until then others are kept away as well as can be.
    while (requests.length > 0) this.renew(requests.splice(0, maxBatch)).catch(() => undefined)
    this.cancelTimer = this.clock.setTimer(() => this.sweep(), leaseMs / 3)
  }
}
