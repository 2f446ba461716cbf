import { maxBatchBytes, portionsOf } from './parcel.ts'
import type { Portion } from './publish-call.ts'
import type { TopicPartition } from './protocol/request.ts'

/** What waits to be written to one partition. */
export class PublishLine implements TopicPartition {
  readonly topic: string
  readonly partition: number
  /** Whether a request with something of it is under way, or it waits for its leader: nothing else of it is written then. */
  isBusy = false
  /** How often, one after the other, the cluster has said that there is no such partition. */
  timesMissing = 0
  /** Bytes of a batch, and what they may grow to again. */
  private maxBytes = maxBatchBytes
  private mostBytes = maxBatchBytes
  private waiting: Portion[] = []
  private next = 0
  /** Of what waits. */
  private waitingBytes = 0

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }

  get isEmpty(): boolean {
    return this.next === this.waiting.length
  }

  /** Whether a whole batch waits. */
  get isFull(): boolean {
    return this.waitingBytes >= this.maxBytes
  }

  add(portion: Portion): void {
    this.waiting.push(portion)
    this.waitingBytes += portion.size
  }

  /** Puts back what was taken, before all else. */
  putBack(portions: readonly Portion[]): void {
    this.waiting = [...portions, ...this.waiting.slice(this.next)]
    this.next = 0
    this.waitingBytes += sizeOf(portions)
  }

  /** The portions of the next batch, one at least, if there are any. */
  take(): Portion[] {
    const taken: Portion[] = []
    let size = 0
    while (!this.isEmpty) {
      const portion = this.fitting()
      if (taken.length > 0 && size + portion.size > this.maxBytes) break
      this.next += 1
      this.waitingBytes -= portion.size
      if (!portion.call.isOpen) continue
      taken.push(portion)
      size += portion.size
    }
    if (this.isEmpty) {
      this.waiting = []
      this.next = 0
    }
    return taken
  }

  /** Takes out what may go to another partition as well. */
  takeFree(): Portion[] {
    return this.takeOut(({ isFree }) => isFree)
  }

  /** Takes out what is due to be given up. */
  takeExpired(now: number): Portion[] {
    return this.takeOut(({ call }) => call.deadline <= now)
  }

  earliestDeadline(): number {
    let earliest = Infinity
    for (let index = this.next; index < this.waiting.length; index++) {
      earliest = Math.min(earliest, this.waiting[index]!.call.deadline)
    }
    return earliest
  }

  /** A batch of so many bytes was refused: smaller ones come next; for good where it was for its size. */
  shrink(size: number, isForGood: boolean): void {
    this.maxBytes = Math.floor(Math.min(size, this.maxBytes) / 2)
    if (isForGood) this.mostBytes = this.maxBytes
  }

  /** A batch was taken. */
  grow(): void {
    this.timesMissing = 0
    if (this.maxBytes < this.mostBytes) this.maxBytes = Math.min(this.mostBytes, this.maxBytes * 2)
  }

  /** The next portion, parted where it is larger than a batch may be. */
  private fitting(): Portion {
    const portion = this.waiting[this.next]!
    if (portion.size <= this.maxBytes || portion.records.length === 1) return portion
    const parts = portionsOf(portion.call, portion, portion.isFree, this.maxBytes)
    this.waiting.splice(this.next, 1, ...parts)
    this.waitingBytes += sizeOf(parts) - portion.size
    return parts[0]!
  }

  private takeOut(isWanted: (portion: Portion) => boolean): Portion[] {
    const taken: Portion[] = []
    this.waiting = this.waiting.slice(this.next).filter((portion) => {
      if (!portion.call.isOpen) return false
      if (!isWanted(portion)) return true
      taken.push(portion)
      return false
    })
    this.next = 0
    this.waitingBytes = sizeOf(this.waiting)
    return taken
  }
}

function sizeOf(portions: readonly Portion[]): number {
  return portions.reduce((sum, { size }) => sum + size, 0)
}
