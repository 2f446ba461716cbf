import type { Delivery, DeliverySink, Scope } from '@posthorn/transport/driver'

/** Hands out what has arrived, in its order and never beyond the window. */
export class Intake {
  /** How many may be unsettled. */
  size = 0
  private readonly scope: Scope
  private readonly sink: DeliverySink
  private backlog: Delivery[] = []
  private unsettled = 0
  private state: 'closed' | 'open' | 'over' = 'closed'
  private isDue = false

  constructor(scope: Scope, sink: DeliverySink) {
    this.scope = scope
    this.sink = sink
  }

  get isEmpty(): boolean {
    return this.backlog.length === 0
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

  /** Starts to hand out; `first` goes before what has arrived. */
  open(size: number, first: readonly Delivery[]): void {
    this.size = size
    if (first.length > 0) this.backlog = [...first, ...this.backlog]
    this.state = 'open'
    this.handLater()
  }

  resize(size: number): void {
    this.size = size
    this.handLater()
  }

  /** So many are settled. */
  settled(count: number): void {
    this.unsettled -= count
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
    const room = this.size - this.unsettled
    if (this.state !== 'open' || room <= 0 || this.backlog.length === 0) return
    const given = room >= this.backlog.length ? this.takeBack() : this.backlog.splice(0, room)
    this.unsettled += given.length
    this.sink.deliver(this.scope, given)
  }
}
