import { Heap } from './heap.ts'
import type { Clock } from '../contract/clock.ts'
import type { Entry } from './entry.ts'
import type { Line } from './line.ts'
import type { WireMessage } from '../contract/wire-message.ts'

interface Delayed {
  readonly dueAt: number
  readonly order: number
  readonly line: Line
  /** A message that nobody had yet goes to the end of its line, an entry to its old position. */
  readonly item: WireMessage | Entry
}

const isEarlier = (a: Delayed, b: Delayed): boolean =>
  a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.order < b.order)

/** Everything that waits for its time, with one timer for the nearest. It rests while nobody is connected. */
export class Schedule {
  private readonly clock: Clock
  private readonly heap = new Heap<Delayed>(isEarlier)
  private order = 0
  private running = false
  private armedAt = Infinity
  private cancel: (() => void) | undefined = undefined

  constructor(clock: Clock) {
    this.clock = clock
  }

  add(line: Line, item: WireMessage | Entry, dueAt: number): void {
    this.heap.push({ dueAt, order: this.order++, line, item })
    line.delayed++
    this.arm()
  }

  start(): void {
    this.running = true
    this.arm()
  }

  stop(): void {
    this.running = false
    this.disarm()
  }

  /** What waits for this line, in no order. */
  of(line: Line): (WireMessage | Entry)[] {
    return this.heap.values().flatMap((delayed) => (delayed.line === line ? [delayed.item] : []))
  }

  /** Forgets what waits for lines that are gone. */
  forget(lines: readonly Line[]): void {
    if (lines.every((line) => line.delayed === 0)) return
    this.heap.filter((delayed) => !lines.includes(delayed.line))
    for (const line of lines) line.delayed = 0
    this.disarm()
    this.arm()
  }

  private arm(): void {
    const next = this.heap.peek()
    if (!this.running || next === undefined || next.dueAt >= this.armedAt) return
    this.disarm()
    this.armedAt = next.dueAt
    this.cancel = this.clock.setTimer(() => this.release(), next.dueAt - this.clock.now())
  }

  private disarm(): void {
    this.cancel?.()
    this.cancel = undefined
    this.armedAt = Infinity
  }

  private release(): void {
    this.disarm()
    const now = this.clock.now()
    for (let next = this.heap.peek(); next !== undefined && next.dueAt <= now; next = this.heap.peek()) {
      this.heap.pop()
      next.line.delayed--
      next.line.due(next.item)
    }
    this.arm()
  }
}
