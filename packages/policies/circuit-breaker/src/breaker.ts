import type { Middleware, PublishMiddleware } from '@posthorn/transport'
import type { BreakerChange, BreakerStateName, WindowCounts } from './breaker-state.ts'

/** Keeps calls away from a dependency that fails, in one process, and tries it again with few. */
export interface Breaker {
  readonly name: string
  readonly state: BreakerStateName
  /**
   * Calls `call` and answers what it answers, or rejects with a `CircuitOpenError` at once. Without `timeoutMs` a call takes as
   * long as it takes.
   */
  execute<Result>(
    call: (attempt: ExecuteCall) => Result | PromiseLike<Result>,
    options?: ExecuteOptions,
  ): Promise<Result>
  /**
   * Middleware for consumers whose handlers need the dependency. While it is open, messages of these types wait at the broker
   * and spend no attempt; others flow.
   */
  consume(options?: BreakerConsumeOptions): Middleware
  /** Middleware for a transport's `publishUse`. While it is open, sends reject with a `CircuitOpenError`, as `rejected`. */
  publish(options?: BreakerPublishOptions): PublishMiddleware
  /** Opens it until `reset`. */
  isolate(): void
  /** Closes it, with an empty window. */
  reset(): void
  health(): BreakerHealth
  /** Since it was made. */
  counts(): BreakerCounts
  /** Calls `listener` at each change of state; answers how to stop that. */
  onChange(listener: (change: BreakerChange) => void): () => void
}

export interface ExecuteCall {
  /** This call's own: aborts with the given one, or when its time is over. */
  readonly signal: AbortSignal
}

export interface ExecuteOptions {
  readonly signal?: AbortSignal
}

export interface BreakerConsumeOptions {
  /** The message types whose handlers need the dependency, by name. Default: all. */
  readonly types?: string | readonly string[]
}

export interface BreakerPublishOptions {
  /** Names of queues and topics. Default: all. */
  readonly destinations?: string | readonly string[]
}

export interface BreakerHealth {
  readonly name: string
  readonly state: BreakerStateName
  /** Epoch milliseconds. */
  readonly since: number
  /** Why it is in this state; `undefined` at first. */
  readonly reason: string | undefined
  /** While open: when trial calls begin. Epoch milliseconds. */
  readonly retryAt: number | undefined
  readonly window: WindowCounts
}

export interface BreakerCounts {
  readonly succeeded: number
  readonly failed: number
  /** Of those two, slow ones. */
  readonly slow: number
  /** Calls that ended with what says nothing about the dependency. */
  readonly ignored: number
  /** Calls that were not let in. */
  readonly rejected: number
  /** Calls that ended after the state in which they began. */
  readonly late: number
  /** How often it opened. */
  readonly opened: number
}
