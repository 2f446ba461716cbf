import { EventEmitter } from 'node:events'
import CircuitBreaker from 'opossum'

const buckets = 10
const bad = new Error('bad')
/** It cannot be left out; the breaker ends before it would begin to matter. */
const longestTimeoutMs = 2_147_483_647
/** opossum opens above its threshold, and not at it. */
const slackPercent = 1e-7

type Counter = 'fires' | 'failures'
type Status = CircuitBreaker.Status & { increment(name: Counter): void }

export interface RollingRateOptions {
  /** The share of bad calls at which it is reached. Above 0, to 1. */
  readonly threshold: number
  readonly minimumCalls: number
  /** Milliseconds. */
  readonly windowMs: number
}

/**
 * The share of bad calls in a window that moves on in tenths, and whether it has been reached: an opossum that is told of
 * calls when they have ended, of bad ones at once, and lives until it opens. Its window turns by our clock, so it has no timers.
 */
export class RollingRate {
  private readonly rotation = new EventEmitter()
  private readonly status: Status
  private readonly breaker: CircuitBreaker<[], never>
  private readonly stepMs: number
  private readonly startedAt: number
  private turns = 0
  /** Good calls that the window has not been told of: only a bad one makes it judge. */
  private good = 0
  private reached = false

  constructor({ threshold, minimumCalls, windowMs }: RollingRateOptions, now: number) {
    this.startedAt = now
    this.stepMs = windowMs / buckets
    const window = {
      rollingCountBuckets: buckets,
      rollingCountTimeout: windowMs,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      rotateBucketController: this.rotation,
    }
    const status = CircuitBreaker.newStatus(window) as Status
    // Its own would keep the latency of each call, for percentiles that nobody asks for.
    status.increment = (name) => add(status, name, 1)
    this.status = status
    this.breaker = new CircuitBreaker(fail, {
      ...window,
      status,
      timeout: false,
      resetTimeout: longestTimeoutMs,
      errorThresholdPercentage: threshold * 100 - slackPercent,
      volumeThreshold: minimumCalls,
    })
    this.breaker.on('open', () => {
      this.reached = true
      this.end()
    })
  }

  /** Notes a call that has ended; answers whether the share has been reached. Not to be called again after that. */
  add(isBad: boolean, now: number): boolean {
    this.turn(now)
    if (!isBad) this.good++
    else {
      this.tell()
      this.breaker.fire().catch(ignore)
    }
    return this.reached
  }

  counts(now: number): { readonly calls: number; readonly bad: number } {
    this.turn(now)
    this.tell()
    const { fires, failures } = this.status.stats
    return { calls: fires, bad: failures }
  }

  end(): void {
    this.breaker.shutdown()
  }

  private tell(): void {
    add(this.status, 'fires', this.good)
    this.good = 0
  }

  /** As many tenths further as have passed. */
  private turn(now: number): void {
    const turns = Math.floor((now - this.startedAt) / this.stepMs)
    const missing = Math.min(buckets, turns - this.turns)
    if (missing > 0) this.tell()
    for (let turn = 0; turn < missing; turn++) this.rotation.emit('rotate')
    this.turns = Math.max(this.turns, turns)
  }
}

/** The counts of the current tenth. */
function add(status: Status, name: Counter, count: number): void {
  const current = status.window[0] as Record<Counter, number> | undefined
  if (current !== undefined) current[name] += count
}

/** At once, so that it is judged at once. */
function fail(): never {
  throw bad
}

function ignore(): void {}
