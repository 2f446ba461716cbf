import type { Cluster } from './cluster.ts'

/** Milliseconds between two looks. */
const everyMs = 5_000

export interface TopicWatchListener {
  /** One of them has more partitions than before. */
  grown(): void
  /** One of them was deleted, or is another one of the same name. */
  over(reason: string): void
}

/** Looks now and then what has become of topics that are read. */
export class TopicWatch {
  private readonly cluster: Cluster
  private readonly topics: readonly string[]
  private readonly listener: TopicWatchListener
  private readonly known = new Map<string, { readonly id: string; readonly partitions: number }>()
  private cancel: () => void = () => undefined
  private isStarted = false
  private isOver = false

  constructor(cluster: Cluster, topics: readonly string[], listener: TopicWatchListener) {
    this.cluster = cluster
    this.topics = topics
    this.listener = listener
  }

  /** Finds out what there is. Rejects where nobody answers. */
  async start(): Promise<void> {
    await this.cluster.persist(() => this.cluster.refresh(this.topics))
    this.compare()
    this.isStarted = true
    this.lookLater()
  }

  close(): void {
    this.isOver = true
    this.cancel()
  }

  private lookLater(): void {
    if (this.isOver) return
    this.cancel = this.cluster.clock.setTimer(() => {
      void this.cluster
        .refresh(this.topics)
        .then(
          () => this.compare(),
          () => undefined,
        )
        .then(() => this.lookLater())
    }, everyMs)
  }

  private compare(): void {
    let hasGrown = false
    for (const topic of this.topics) {
      if (this.isOver) return
      const known = this.known.get(topic)
      const id = this.cluster.topicId(topic)
      if (id === undefined) {
        if (known !== undefined && this.cluster.isMissing(topic))
          this.listener.over(`its topic "${topic}" was deleted`)
        continue
      }
      const partitions = this.cluster.partitionCount(topic)
      this.known.set(topic, { id, partitions })
      // A node may hear late of a topic that was just made.
      if (known === undefined) hasGrown ||= this.isStarted
      else if (known.id !== id) this.listener.over(`its topic "${topic}" was deleted and made anew`)
      else if (known.partitions < partitions) hasGrown = true
    }
    if (hasGrown && !this.isOver) this.listener.grown()
  }
}
