import type { HeldScope } from './held-scope.ts'
import type { Slots } from './slots.ts'
import type { Run } from './run.ts'
import { shareWindows } from './windows.ts'

/** Whether a consumer takes anything in, and how much of each scope. */
export class Intake {
  scopes: HeldScope[] = []
  /** Scopes that are gone, while handlers of theirs run on. */
  readonly orphans: Set<HeldScope> = new Set()
  flow: 'dynamic' | 'fixed' = 'dynamic'
  stopping = false
  /** Everything is paused. */
  paused = false
  /** Another consumer's message has the process for itself. */
  madeWay = false
  /** A message of this consumer has, or waits for, the process for itself. */
  lone = false
  /** One delivery at a time, until one has come that is not suspected of ending its process. */
  probing = true
  /** Deliveries waited for a slot for too long: none is taken until one is free. */
  saturated = false
  private readonly slots: Slots
  private readonly prefetch: () => number
  /** Deliveries that wait for nothing but a slot. */
  private readonly ready: () => number

  constructor(slots: Slots, prefetch: () => number, ready: () => number) {
    this.slots = slots
    this.prefetch = prefetch
    this.ready = ready
  }

  get open(): boolean {
    return !this.stopping && !this.paused && !this.madeWay && !this.lone
  }

  /** Whether windows depend on what is held at the moment. */
  get moves(): boolean {
    return (this.scopes.length > 1 && this.flow === 'dynamic') || this.limited
  }

  /** Whether windows depend on what runs at the moment. */
  get limited(): boolean {
    return this.saturated || this.slots.allowance !== Infinity
  }

  /** Tells the drivers of every window that has changed. */
  update(): void {
    const sizes = this.sizes()
    for (const [index, scope] of this.scopes.entries()) {
      const size = scope.closing || scope.returning > 0 ? 0 : (sizes[index] ?? 0)
      if (scope.window === size) continue
      scope.window = size
      scope.consumer?.window(scope.scope, size)
    }
  }

  add(scope: HeldScope): number {
    this.scopes.push(scope)
    scope.window = this.sizes().at(-1) ?? 0
    this.update()
    return scope.window
  }

  remove(scope: HeldScope): void {
    this.scopes = this.scopes.filter((one) => one !== scope)
    if (scope.unsettled > 0) this.orphans.add(scope)
    this.update()
  }

  /** A handler of a scope that is gone has ended. */
  left(scope: HeldScope): void {
    if (scope.unsettled === 0) this.orphans.delete(scope)
  }

  /** What is held, in the order of arrival within each scope. */
  runs(): Run[] {
    return this.scopes.flatMap((scope) => scope.runs())
  }

  /** What is held, or was when its scope was lost and is still being handled. */
  everything(): readonly HeldScope[] {
    return this.orphans.size === 0 ? this.scopes : [...this.scopes, ...this.orphans]
  }

  get unsettled(): number {
    return this.scopes.reduce((sum, scope) => sum + scope.unsettled, 0)
  }

  private sizes(): number[] {
    const { scopes, slots } = this
    if (!this.open) return scopes.map(() => 0)
    const isFixed = this.flow === 'fixed'
    if (this.saturated && !isFixed) return scopes.map((scope) => scope.busy)
    if (this.probing) return scopes.map(() => (slots.allowance > 0 ? 1 : 0))
    const shares = shareWindows(scopes, this.prefetch(), this.flow)
    if (slots.allowance === Infinity || isFixed) return shares
    const room = Math.max(0, slots.allowance - this.ready())
    return scopes.map((scope, index) => Math.min(shares[index] as number, scope.unsettled + room))
  }
}
