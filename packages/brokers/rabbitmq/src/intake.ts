import type { Delivery, DeliverySink, Scope, SettleItem, SettleOutcome } from '@posthorn/transport/driver'

/** Hands out what has arrived, in its order and never beyond the window. */
export class Intake {
  /** How many may be unsettled. */
  size = 0
  private readonly scope: Scope
  private readonly sink: DeliverySink
  private backlog: Delivery[] = []
  private count = 0
  private state: 'closed' | 'open' | 'over' = 'closed'
  private isDue = false

  constructor(scope: Scope, sink: DeliverySink) {
    this.scope = scope
    this.sink = sink
  }

  /** What waits here and was not handed out, in its order. */
  get waiting(): readonly Delivery[] {
    return this.backlog
  }

  /** How many are handed out and not settled. */
  get unsettled(): number {
    return this.count
  }

  add(delivery: Delivery): void {
    this.backlog.push(delivery)
    this.handLater()
  }

  /** Comes again in its place, before all that has a higher rank. It counts as settled when that is told. */
  putBack(delivery: Delivery, rankOf: (delivery: Delivery) => number): void {
    if (this.state === 'over') return
    const rank = rankOf(delivery)
    const after = this.backlog.findIndex((one) => rankOf(one) > rank)
    this.backlog.splice(after === -1 ? this.backlog.length : after, 0, delivery)
  }

  /** Starts to hand out. */
  open(size: number): void {
    this.size = size
    this.state = 'open'
    this.handLater()
  }

  resize(size: number): void {
    this.size = size
    this.handLater()
  }

  /** Makes room for as many as are settled by now. */
  settled(items: readonly SettleItem[], outcomes: readonly SettleOutcome[]): void {
    for (let index = 0; index < outcomes.length; index += 1) {
      if (typeof outcomes[index] === 'string' && items[index]!.verb !== 'hold') this.count -= 1
    }
    this.handLater()
  }

  /** What has not been handed out, and will not be. */
  takeBack(): readonly Delivery[] {
    const { backlog } = this
    this.backlog = []
    return backlog
  }

  close(): void {
    this.state = 'over'
    this.backlog = []
  }

  /** Once for all that the client reads at a time. A later turn would leave a part of the window unused. */
  private handLater(): void {
    if (this.isDue || this.state !== 'open' || this.backlog.length === 0) return
    this.isDue = true
    queueMicrotask(() => {
      this.isDue = false
      this.hand()
    })
  }

  private hand(): void {
    const room = this.size - this.count
    if (this.state !== 'open' || room <= 0 || this.backlog.length === 0) return
    const given = room >= this.backlog.length ? this.takeBack() : this.backlog.splice(0, room)
    this.count += given.length
    this.sink.deliver(this.scope, given)
  }
}
