import { KafkaError, NoAnswer, notConfirmed, notWritten, timedOut, toKafkaError } from './errors.ts'
import { maxBatchBytes, portionsOf, type Parcel } from './parcel.ts'
import { notAppended, unclear } from './produce-errors.ts'
import { PublishCall, type Portion } from './publish-call.ts'
import { PublishLine } from './publish-line.ts'
import { kafkaErrors } from './protocol/error-names.ts'
import { produce, type ProduceResult } from './protocol/produce.ts'
import type { Cluster } from './cluster.ts'
import type { PosthornError, PublishOutcome } from '@posthorn/transport/driver'

/** Bytes of a request. */
const maxRequestBytes = 8 * 1024 * 1024
/** Milliseconds. */
const retryPauseMs = 100

interface Lane {
  readonly node: number
  isSending: boolean
  isScheduled: boolean
}

interface Sent {
  readonly line: PublishLine
  readonly portions: readonly Portion[]
}

/**
 * Writes records, each to a partition that is given. One request at a time is under way for each leader, holding what has
 * gathered for all of its partitions; so the order within a partition is that of the calls, and a leader that is frozen
 * holds up nobody else. What may have been written is never written again.
 */
export class Publisher {
  private readonly cluster: Cluster
  private readonly lines = new Map<string, PublishLine>()
  private readonly lanes = new Map<number, Lane>()
  private readonly inFlight = new Set<Portion>()
  private sweepAt = Infinity
  private cancelSweep: () => void = () => undefined
  private closedBecause: string | undefined

  constructor(cluster: Cluster) {
    this.cluster = cluster
  }

  /**
   * Answers for each index of the parcels, by `deadline` (epoch milliseconds); with `missing` where the topic does not exist.
   * `size` is how many there are.
   */
  publish(
    parcels: readonly Parcel[],
    size: number,
    deadline: number,
    missing: () => PosthornError,
  ): Promise<readonly PublishOutcome[]> {
    const call = new PublishCall(size, deadline, missing)
    for (const parcel of parcels) {
      const line = this.lineOf(parcel.topic, parcel.partition)
      for (const portion of portionsOf(call, parcel)) line.add(portion)
      this.wake(line)
    }
    if (this.closedBecause !== undefined) this.giveUp(this.closedBecause)
    else this.sweepBy(deadline)
    return call.done
  }

  /** Answers everything that is open, and takes nothing more. */
  close(reason: string): void {
    this.closedBecause = reason
    this.giveUp(reason)
    this.cancelSweep()
  }

  private giveUp(reason: string): void {
    for (const portion of this.inFlight) portion.call.answer(portion.indexes, notConfirmed(reason))
    for (const line of this.lines.values()) {
      for (const { call, indexes } of line.takeExpired(Infinity)) call.answer(indexes, notWritten(reason))
    }
  }

  private lineOf(topic: string, partition: number): PublishLine {
    const key = `${topic} ${partition}`
    let line = this.lines.get(key)
    if (line === undefined) {
      line = new PublishLine(topic, partition)
      this.lines.set(key, line)
    }
    return line
  }

  /** What is sent in one turn goes together. */
  private wake(line: PublishLine): void {
    const lane = this.laneOf(this.cluster.leader(line))
    if (lane.isSending || lane.isScheduled) return
    lane.isScheduled = true
    this.cluster.clock.defer(() => {
      lane.isScheduled = false
      if (!lane.isSending) void this.send(lane)
    })
  }

  private laneOf(node: number): Lane {
    let lane = this.lanes.get(node)
    if (lane === undefined) {
      lane = { node, isSending: false, isScheduled: false }
      this.lanes.set(node, lane)
    }
    return lane
  }

  private async send(lane: Lane): Promise<void> {
    lane.isSending = true
    try {
      for (;;) {
        const batch = this.gather(lane)
        if (batch.length === 0) return
        await this.write(lane, batch)
      }
    } finally {
      lane.isSending = false
    }
  }

  private gather(lane: Lane): Sent[] {
    const batch: Sent[] = []
    let size = 0
    for (const line of this.lines.values()) {
      if (line.isEmpty || line.isBusy || this.cluster.leader(line) !== lane.node) continue
      const portions = line.take(maxBatchBytes)
      if (portions.length === 0) continue
      batch.push({ line, portions })
      for (const portion of portions) size += portion.size
      if (size >= maxRequestBytes) break
    }
    return batch
  }

  private async write(lane: Lane, batch: readonly Sent[]): Promise<void> {
    const address = this.cluster.address(lane.node)
    if (address === undefined) return this.later(batch, notWritten('no leader is known'))
    let latest = 0
    for (const { portions } of batch) {
      for (const portion of portions) {
        latest = Math.max(latest, portion.call.deadline)
        this.inFlight.add(portion)
      }
    }
    const timeoutMs = Math.max(1, latest - this.cluster.clock.now())
    const batches = batch.map(({ line, portions }) => ({
      topic: line.topic,
      partition: line.partition,
      records: portions.length === 1 ? portions[0]!.records : portions.flatMap(({ records }) => records),
    }))
    try {
      const results = await this.cluster.askNode(address, 'publish', produce(batches, timeoutMs), timeoutMs)
      this.settle(batch, results)
    } catch (error) {
      const isWritten = !(error instanceof NoAnswer) || error.isWritten
      const reason = error instanceof Error ? error.message : String(error)
      if (isWritten) this.answer(batch, notConfirmed(reason, error))
      else this.later(batch, notWritten(reason, error))
    } finally {
      for (const { portions } of batch) for (const portion of portions) this.inFlight.delete(portion)
    }
  }

  private settle(batch: readonly Sent[], results: readonly ProduceResult[]): void {
    const again: Sent[] = []
    let problem = notWritten('no answer for its partition')
    for (const sent of batch) {
      const { topic, partition } = sent.line
      const result = results.find((one) => one.topic === topic && one.partition === partition)
      if (result === undefined) {
        this.answer([sent], notConfirmed('the broker answered for other partitions only'))
      } else if (result.error === kafkaErrors.NONE) {
        this.answer([sent], 'confirmed')
      } else {
        const error = new KafkaError(result.error, `Produce to ${topic}/${partition}`)
        if (notAppended.has(result.error)) {
          again.push(sent)
          problem = notWritten(error.message, error)
        } else if (unclear.has(result.error)) {
          this.answer([sent], notConfirmed(error.message, error))
        } else {
          this.refuse(sent, error)
        }
      }
    }
    if (again.length > 0) this.later(again, problem)
  }

  /** One record that is refused refuses all that are written with it: then each is written by itself. */
  private refuse({ line, portions }: Sent, error: KafkaError): void {
    const [first] = portions
    if (portions.length === 1 && first!.records.length === 1) {
      const refused = toKafkaError(error, 'a message', { phase: 'publish', outcome: 'rejected' })
      return first!.call.answer(first!.indexes, refused)
    }
    const single = portions.flatMap(({ call, records, indexes }) =>
      records.map((record, at): Portion => ({
        call,
        records: [record],
        indexes: [indexes[at]!],
        // So that nothing else goes with it.
        size: maxBatchBytes,
        problem: undefined,
      })),
    )
    line.putBack(single)
  }

  private answer(batch: readonly Sent[], outcome: PublishOutcome): void {
    for (const { portions } of batch) for (const { call, indexes } of portions) call.answer(indexes, outcome)
  }

  /** Nothing of it was written: it waits until more is known of who leads its partitions. */
  private later(batch: readonly Sent[], problem: PosthornError): void {
    for (const { line, portions } of batch) {
      for (const portion of portions) portion.problem = problem
      line.putBack(portions)
      line.isBusy = true
    }
    const topics = [...new Set(batch.map(({ line }) => line.topic))]
    const goOn = (): void => {
      for (const { line } of batch) {
        line.isBusy = false
        if (this.cluster.partitionCount(line.topic) <= line.partition && this.cluster.isMissing(line.topic)) {
          for (const { call, indexes } of line.takeExpired(Infinity)) call.answer(indexes, call.missing())
        } else if (!line.isEmpty) {
          this.wake(line)
        }
      }
    }
    void this.cluster
      .pause(retryPauseMs)
      .then(() => this.cluster.refresh(topics))
      .then(goOn, goOn)
  }

  private sweepBy(deadline: number): void {
    if (deadline >= this.sweepAt) return
    this.cancelSweep()
    this.sweepAt = deadline
    const { clock } = this.cluster
    this.cancelSweep = clock.setTimer(() => this.sweep(), Math.max(1, deadline - clock.now()))
  }

  /** Answers what is out of time. */
  private sweep(): void {
    const now = this.cluster.clock.now()
    this.sweepAt = Infinity
    let next = Infinity
    for (const portion of this.inFlight) {
      const { call, indexes } = portion
      if (call.deadline <= now) call.answer(indexes, timedOut('unknown'))
      else next = Math.min(next, call.deadline)
    }
    for (const line of this.lines.values()) {
      for (const { call, indexes, problem } of line.takeExpired(now)) {
        call.answer(indexes, problem ?? timedOut('rejected'))
      }
      next = Math.min(next, line.earliestDeadline())
    }
    // Not for each of many deadlines that lie close together.
    if (next !== Infinity) this.sweepBy(Math.max(next, now + 10))
  }
}
