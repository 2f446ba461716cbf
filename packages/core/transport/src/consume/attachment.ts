import type { Delivery, DeliverySink, DriverConsumer, Scope } from '../contract/driver.ts'
import type { PosthornError } from '../errors.ts'
import { HeldScope } from './held-scope.ts'

/** What a runner does about the scopes of one generation of its driver's consumer. */
export interface ScopeListener {
  /** Answers its first window. */
  scopeAssigned(held: HeldScope): number
  delivered(held: HeldScope, deliveries: readonly Delivery[]): void
  /** Resolves when it holds nothing of the scope any more. */
  scopeRevoked(held: HeldScope, deadlineMs: number): Promise<void>
  scopeLost(held: HeldScope, error: PosthornError): void
  started(consumer: DriverConsumer): void
}

/**
 * One generation of a consumer: the sink that its driver talks to. Once void, nothing that the driver still says counts,
 * and nothing that it handed out can be settled.
 */
export class Attachment {
  readonly sink: Omit<DeliverySink, 'ended'>
  private readonly listener: ScopeListener
  private readonly held = new Map<Scope, HeldScope>()
  private consumer: DriverConsumer | undefined
  private valid = true

  /** `maxBatch` is the connection's limit. */
  constructor(listener: ScopeListener, maxBatch: number) {
    this.listener = listener
    this.sink = {
      assigned: (scope) => {
        if (!this.valid) return 0
        const one = new HeldScope(scope, this.consumer, maxBatch)
        this.held.set(scope, one)
        return listener.scopeAssigned(one)
      },
      deliver: (scope, deliveries) => {
        const one = this.held.get(scope)
        if (one !== undefined) listener.delivered(one, deliveries)
      },
      revoke: async (scope, deadlineMs) => {
        const one = this.held.get(scope)
        if (one === undefined) return
        await listener.scopeRevoked(one, deadlineMs)
        this.held.delete(scope)
      },
      lost: (scope, error) => this.lose(scope, error),
    }
  }

  /** The driver's `consume` has answered. */
  started(consumer: DriverConsumer): void {
    this.consumer = consumer
    for (const [scope, one] of this.held) {
      one.consumer = consumer
      consumer.window(scope, one.window)
    }
    this.listener.started(consumer)
  }

  void(error: PosthornError): void {
    this.valid = false
    for (const scope of [...this.held.keys()]) this.lose(scope, error)
  }

  private lose(scope: Scope, error: PosthornError): void {
    const one = this.held.get(scope)
    if (one === undefined) return
    this.held.delete(scope)
    this.listener.scopeLost(one, error)
  }
}
