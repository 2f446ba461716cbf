import { describeError } from './errors.ts'
import { Ownership } from './ownership.ts'
import { keepWishing, wishMs } from './wish.ts'
import type { QueueReader, ReaderParts } from './queue-reader.ts'
import type { Scope, SettleItem, SettleOutcome } from '@posthorn/transport/driver'
import type { Channel } from 'amqplib'

/** The part of the longest hold after which what waits here goes back to the server, and that handlers then have to end. */
const holdShare = 0.45

/** How often it is looked whether anything waits, or nothing is wanted. A part of the longest hold, or milliseconds. */
const lookShare = 0.1
const longestLookMs = 30_000

/** A queue that came while nothing is wanted is given on after so long, if that is still so. Milliseconds. */
const idleMs = 1_000

/** Reads a queue that one consumer has at a time: waits for it, keeps it, and gives it up where another window is needed. */
export class OwnedReader implements QueueReader {
  private readonly of: ReaderParts
  private current: Ownership
  private hasBegun = false
  private state: 'open' | 'parked' | 'changing' | 'over' = 'open'
  /** The window that the runner wants. */
  private size = 0
  private cancelLook: (() => void) | undefined
  private cancelReturn: (() => void) | undefined
  private stopWishing: (() => void) | undefined

  constructor(of: ReaderParts, channel: Channel) {
    this.of = of
    this.current = this.ownership(channel, of.share())
  }

  get queue(): string {
    return this.of.target.queue
  }

  get isReading(): boolean {
    return this.state === 'open' && this.current.isReading
  }

  get isOwner(): boolean {
    return this.state === 'open' && this.current.isOwned
  }

  start(): Promise<void> {
    return this.current.start()
  }

  begin(): void {
    this.hasBegun = true
    this.current.begin()
    this.wish()
    this.lookLater()
  }

  owns(scope: Scope): boolean {
    return scope === this.current.scope
  }

  window(size: number): void {
    this.size = size
    if (this.state === 'parked' && size > 0) return this.renew(this.of.share())
    if (this.state !== 'open') return
    this.current.intake.resize(size)
    const most = Math.min(size, this.of.share())
    if (most > this.current.most) this.renew(most)
  }

  async settle(_: Scope, items: readonly SettleItem[]): Promise<readonly SettleOutcome[]> {
    const outcomes = await this.current.settle(items)
    if (items.some(({ verb }) => verb === 'release')) this.lookForOld()
    return outcomes
  }

  deleted(): void {
    this.current.deleted()
  }

  async close(): Promise<void> {
    this.over()
    await this.current.close()
  }

  void(): void {
    this.over()
    this.current.void()
  }

  private over(): void {
    this.state = 'over'
    this.cancelLook?.()
    this.cancelReturn?.()
    this.stopWishing?.()
  }

  private ownership(channel: Channel, most: number): Ownership {
    return new Ownership(this.of, channel, most, {
      assigned: (size) => {
        this.window(size)
        if (size === 0 && !this.isOver()) this.lookLater(idleMs)
      },
      tooSmall: (needed) => this.renew(needed),
      wanted: () => {
        if (this.state === 'open') this.renew(this.of.share(), wishMs)
      },
    })
  }

  private lookLater(longestMs = longestLookMs): void {
    const { clock, maxHoldMs } = this.of.parts
    const look = (): void => {
      this.current.refresh(clock.now() - maxHoldMs * holdShare)
      if (this.size > 0) this.lookForOld()
      else if (this.state === 'open' && this.current.isOwned && this.current.intake.unsettled === 0)
        this.park()
      if (!this.isOver()) this.lookLater()
    }
    this.cancelLook?.()
    this.cancelLook = clock.setTimer(look, Math.min(longestMs, maxHoldMs * lookShare))
  }

  /** The server's patience is counted from a delivery's arrival, however often it comes back here. */
  private lookForOld(): void {
    if (this.state !== 'open' || !this.current.isOwned || this.size === 0) return
    const { clock, maxHoldMs } = this.of.parts
    if (this.current.oldestAt() <= clock.now() - maxHoldMs * holdShare) this.renew(this.of.share())
  }

  /** Nothing is wanted, and nothing held by the runner: another instance may have the queue until something is. */
  private park(): void {
    this.state = 'parked'
    void this.current.close()
  }

  /** Has whoever has the queue give it on, where it is wanted more here. */
  private wish(): void {
    const { parts, target } = this.of
    if (target.rank === 0) return
    this.stopWishing?.()
    const isWaiting = (): boolean => this.state === 'open' && this.current.isWaiting
    this.stopWishing = keepWishing({ parts, target, isWaiting })
  }

  /** Waits for the queue anew, with another window, after it has stayed away for so long. */
  private renew(most: number, awayMs = 0): void {
    this.state = 'changing'
    this.change(most, awayMs).catch((error: unknown) => {
      if (!this.isOver()) this.of.ended(describeError(error))
    })
  }

  private async change(most: number, awayMs: number): Promise<void> {
    const { parts, request, openChannel } = this.of
    await this.current.giveUp(Math.min(request.handlerTimeoutMs, parts.maxHoldMs * holdShare))
    if (this.isOver()) return
    // Those who wait get it one after the other, until the one who wants it most does.
    if (awayMs > 0)
      await new Promise<void>((resolve) => (this.cancelReturn = parts.clock.setTimer(resolve, awayMs)))
    const next = this.ownership(await openChannel(), most)
    if (this.isOver()) return next.close()
    this.current = next
    await next.start()
    if (this.isOver()) return
    this.state = 'open'
    if (!this.hasBegun) return
    next.begin()
    this.wish()
  }

  private isOver(): boolean {
    return this.state === 'over'
  }
}
