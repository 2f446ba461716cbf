/** So many topics are remembered. */
const maxTopics = 1_000

interface Choice {
  readonly partition: number
  /** Whether more may go to it, or the next one is wanted. */
  isOpen: boolean
}

/** Where messages without a key go: all to one partition until its batch is sent, then to the next. */
export class StickyPartitions {
  private readonly random: () => number
  private readonly choices = new Map<string, Choice>()

  constructor(random: () => number) {
    this.random = random
  }

  /** `isThere` says of a partition whether it can be written to now; others are chosen only where there is none. */
  choose(topic: string, count: number, isThere: (partition: number) => boolean): number {
    const last = this.choices.get(topic)
    const start =
      last === undefined
        ? Math.floor(this.random() * count)
        : (last.partition + (last.isOpen ? 0 : 1)) % count
    if (last?.isOpen === true && last.partition === start && isThere(start)) return start
    let partition = start
    for (let step = 0; step < count; step++) {
      if (isThere((start + step) % count)) {
        partition = (start + step) % count
        break
      }
    }
    if (this.choices.size >= maxTopics) this.choices.clear()
    this.choices.set(topic, { partition, isOpen: true })
    return partition
  }

  /** A batch of this partition is on its way, or is long enough. */
  moveOn(topic: string, partition: number): void {
    const choice = this.choices.get(topic)
    if (choice?.partition === partition) choice.isOpen = false
  }
}
