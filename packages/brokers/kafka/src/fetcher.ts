import { groupBy } from './group-by.ts'
import { NoAnswer } from './errors.ts'
import { kafkaErrors } from './protocol/error-names.ts'
import { fetch, type FetchResult } from './protocol/fetch.ts'
import { endsOf } from './read-topic.ts'
import { watchLeader } from './watch-leader.ts'
import type { Cluster } from './cluster.ts'
import type { LogLine } from './log-line.ts'
import type { TopicPartition } from './protocol/request.ts'

/** Milliseconds: how long the broker waits for something new, and how long to wait after an error. */
const maxWaitMs = 100
const retryPauseMs = 100
const timeoutMs = 15_000
/** Bytes of one partition in one answer, unless less is allowed. */
const maxPartitionBytes = 1024 * 1024

export interface FetcherListener {
  /** Records were gone before they were read: so many. It goes on behind them. */
  gap(line: LogLine, missing: number): void
  /** It cannot be read on: its topic was deleted or is another one, or may not be read. */
  over(line: LogLine, reason: string): void
}

/** Reads partitions on, each as long as little of it is buffered: one request at a time for each leader. */
export class Fetcher {
  private readonly cluster: Cluster
  private readonly purpose: string
  private readonly bufferBytes: number
  private readonly listener: FetcherListener
  private readonly lines = new Set<LogLine>()
  private readonly running = new Set<number>()
  private isOver = false
  private isLooking = false

  constructor(cluster: Cluster, purpose: string, bufferBytes: number, listener: FetcherListener) {
    this.cluster = cluster
    this.purpose = purpose
    this.bufferBytes = bufferBytes
    this.listener = listener
  }

  /** Connects to who leads the partitions. */
  async connect(partitions: readonly TopicPartition[]): Promise<void> {
    const leaders = new Set(partitions.map((one) => this.cluster.leader(one)))
    const opened = [...leaders].map((leader) => {
      const address = this.cluster.address(leader)
      if (address === undefined) throw new NoAnswer('no leader is known', false)
      return this.cluster.askNode(address, this.purpose, fetch([], { maxWaitMs: 0, maxBytes: 1 }), timeoutMs)
    })
    await Promise.all(opened)
  }

  add(line: LogLine): void {
    this.lines.add(line)
    this.wake()
  }

  remove(line: LogLine): void {
    this.lines.delete(line)
  }

  /** Something may be fetched again. */
  wake(): void {
    if (this.isOver) return
    for (const line of this.lines) {
      if (!this.wants(line)) continue
      const leader = this.cluster.leader(line)
      if (leader < 0) this.look()
      else if (!this.running.has(leader)) void this.run(leader)
    }
  }

  close(): void {
    this.isOver = true
    this.lines.clear()
    this.cluster.endConnections(this.purpose)
  }

  /** What each may buffer before no more of it is asked for; as much again may be on its way. */
  private get share(): number {
    return Math.max(64 * 1024, Math.floor(this.bufferBytes / 2 / Math.max(1, this.lines.size)))
  }

  private wants(line: LogLine): boolean {
    return !line.isFetching && line.bufferedBytes < this.share
  }

  private async run(leader: number): Promise<void> {
    this.running.add(leader)
    try {
      while (!this.isOver) {
        const wanted = [...this.lines].filter(
          (line) => this.cluster.leader(line) === leader && this.wants(line),
        )
        if (wanted.length === 0) return
        if (!(await this.fetch(leader, wanted))) {
          await this.cluster.pause(retryPauseMs)
          await this.refresh(wanted)
          // Others may lead some of it now.
          this.wake()
        }
      }
    } finally {
      this.running.delete(leader)
      if (this.lines.size > 0) this.cluster.clock.defer(() => this.wake())
    }
  }

  /** Whether it went well. */
  private async fetch(leader: number, wanted: readonly LogLine[]): Promise<boolean> {
    const address = this.cluster.address(leader)
    if (address === undefined) return false
    const maxBytes = Math.min(maxPartitionBytes, this.share)
    const positions = wanted.map((line) => ({
      topic: line.topic,
      partition: line.partition,
      offset: line.fetchOffset,
      maxBytes,
    }))
    for (const line of wanted) line.isFetching = true
    const answered = watchLeader(this.cluster, leader, address, this.purpose, () => wanted)
    try {
      const limits = { maxWaitMs, maxBytes: Math.max(maxPartitionBytes, this.bufferBytes) }
      const results = await this.cluster
        .askNode(address, this.purpose, fetch(positions, limits), timeoutMs)
        .finally(answered)
      if (this.isOver) return true
      const byLine = groupBy(results, ({ topic, partition }) => `${topic} ${partition}`)
      let isWell = true
      for (const [index, line] of wanted.entries()) {
        line.isFetching = false
        const result = byLine.get(`${line.topic} ${line.partition}`)?.[0]
        // Meanwhile it may have been given up, or sent elsewhere.
        if (result === undefined || !this.lines.has(line) || line.fetchOffset !== positions[index]!.offset)
          continue
        if (result.error === kafkaErrors.NONE) this.accept(line, result)
        else if (result.error === kafkaErrors.OFFSET_OUT_OF_RANGE) isWell = (await this.jump(line)) && isWell
        else {
          isWell = false
          if (result.error === kafkaErrors.TOPIC_AUTHORIZATION_FAILED)
            this.listener.over(line, `the topic "${line.topic}" may not be read`)
        }
      }
      return isWell
    } catch {
      return false
    } finally {
      for (const line of wanted) line.isFetching = false
    }
  }

  private accept(line: LogLine, result: FetchResult): void {
    if (result.bytes.length > 0) {
      // The first one that is asked for gets a batch of any size, the others none that is larger than the bound.
      this.lines.delete(line)
      this.lines.add(line)
    }
    line.accept(result)
  }

  /** What was to be read is not there; answers whether it goes on behind it. */
  private async jump(line: LogLine): Promise<boolean> {
    const { topic, partition, fetchOffset } = line
    const { start, end } = await endsOf(this.cluster, topic, partition)
    if (!this.lines.has(line)) return true
    if (start > fetchOffset) {
      line.skipTo(start)
      this.listener.gap(line, start - fetchOffset)
      return true
    }
    if (fetchOffset > end) this.listener.over(line, `"${topic}/${partition}" ends before what was read of it`)
    return false
  }

  private async refresh(lines: readonly LogLine[]): Promise<void> {
    const topics = [...new Set(lines.map(({ topic }) => topic))]
    const isTold = await this.cluster.refresh(topics).then(
      () => true,
      () => false,
    )
    if (!isTold || this.isOver) return
    for (const line of lines) {
      if (this.lines.has(line) && this.cluster.isMissing(line.topic))
        this.listener.over(line, `its topic "${line.topic}" was deleted`)
    }
  }

  /** Nobody leads some of them, as far as is known. */
  private look(): void {
    if (this.isLooking) return
    this.isLooking = true
    void this.cluster
      .pause(retryPauseMs)
      .then(() => this.refresh([...this.lines].filter((line) => this.cluster.leader(line) < 0)))
      .finally(() => {
        this.isLooking = false
        this.wake()
      })
  }
}
