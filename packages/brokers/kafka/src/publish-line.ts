import type { Portion } from './publish-call.ts'
import type { TopicPartition } from './protocol/request.ts'

/** What waits to be written to one partition. */
export class PublishLine implements TopicPartition {
  readonly topic: string
  readonly partition: number
  /** Whether a request with something of it is under way, or it waits for its leader. */
  isBusy = false
  private waiting: Portion[] = []
  private next = 0

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }

  get isEmpty(): boolean {
    return this.next === this.waiting.length
  }

  add(portion: Portion): void {
    this.waiting.push(portion)
  }

  /** Puts back what was taken, before all else. */
  putBack(portions: readonly Portion[]): void {
    this.waiting = [...portions, ...this.waiting.slice(this.next)]
    this.next = 0
  }

  /** The next portions, one at least, of `maxBytes` at most. */
  take(maxBytes: number): Portion[] {
    const taken: Portion[] = []
    let size = 0
    while (!this.isEmpty) {
      const portion = this.waiting[this.next]!
      if (taken.length > 0 && size + portion.size > maxBytes) break
      this.next += 1
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

  /** Takes out what is due to be given up; answers it. */
  takeExpired(now: number): Portion[] {
    const expired: Portion[] = []
    this.waiting = this.waiting.slice(this.next).filter((portion) => {
      if (portion.call.deadline > now) return portion.call.isOpen
      expired.push(portion)
      return false
    })
    this.next = 0
    return expired
  }

  earliestDeadline(): number {
    let earliest = Infinity
    for (let index = this.next; index < this.waiting.length; index++) {
      earliest = Math.min(earliest, this.waiting[index]!.call.deadline)
    }
    return earliest
  }
}
