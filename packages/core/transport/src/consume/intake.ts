import type { HeldScope } from './held-scope.ts'
import { shareWindows } from './windows.ts'

/** Whether a consumer takes anything in, and how much of each scope. */
export class Intake {
  scopes: HeldScope[] = []
  flow: 'dynamic' | 'fixed' = 'dynamic'
  stopping = false
  /** The holder of the consumer paused it. */
  paused = false
  /** Middleware, or a paused type where types cannot be told apart, paused all of it so many times. */
  wholePauses = 0
  /** Another consumer's message has the process for itself. */
  madeWay = false
  /** A message of this consumer has, or waits for, the process for itself. */
  lone = false
  /** One delivery at a time, until one has come that is not suspected of ending its process. */
  probing = true
  private readonly prefetch: () => number

  constructor(prefetch: () => number) {
    this.prefetch = prefetch
  }

  get open(): boolean {
    return !this.stopping && !this.paused && this.wholePauses === 0 && !this.madeWay && !this.lone
  }

  /** Tells the drivers of every window that has changed. */
  update(): void {
    const sizes = this.sizes()
    for (const [index, scope] of this.scopes.entries()) {
      const size = scope.closing ? 0 : (sizes[index] ?? 0)
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
    this.update()
  }

  private sizes(): number[] {
    if (!this.open) return this.scopes.map(() => 0)
    return this.probing ? this.scopes.map(() => 1) : shareWindows(this.scopes, this.prefetch(), this.flow)
  }
}
