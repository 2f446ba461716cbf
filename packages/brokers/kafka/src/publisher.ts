import { describeError, KafkaError, NoAnswer, notConfirmed, notWritten, timedOut } from './errors.ts'
import { portionsOf, type Parcel } from './parcel.ts'
import { fateOf, refusal } from './produce-errors.ts'
import { PublishCall, type Portion } from './publish-call.ts'
import { PublishLane } from './publish-lane.ts'
import { PublishLine } from './publish-line.ts'
import { produce, type ProduceResult } from './protocol/produce.ts'
import { answer, refuseRecords, type SentBatch } from './sent-batch.ts'
import { StickyPartitions } from './sticky-partitions.ts'
import { watchLeader } from './watch-leader.ts'
import type { Cluster } from './cluster.ts'
import type { NodeAddress } from './client/kafka-client.ts'
import type { Compression } from './protocol/compress.ts'
import type { PosthornError, PublishOutcome } from '@posthorn/transport/driver'

/** Bytes of a request. */
const maxRequestBytes = 8 * 1024 * 1024
/** Milliseconds. */
const retryPauseMs = 100
/** As many milliseconds as the request can say. */
const maxTimeoutMs = 2_147_483_647
/** Milliseconds after which it is asked anew how many partitions there are. */
const lookAgainMs = 60_000
/** To so many partitions do the messages of one call go that may go anywhere. */
const maxPieces = 8

/**
 * Writes records. One request at a time is under way for each leader, holding what has gathered for all of its partitions;
 * so the order within a partition is that of the calls, and a leader that is frozen holds up nobody else. What may have been
 * written is never written again.
 */
export class Publisher {
  private readonly cluster: Cluster
  private readonly compression: Compression
  private readonly lines = new Map<string, PublishLine>()
  private readonly lanes = new Map<number, PublishLane>()
  private readonly sticky: StickyPartitions
  private readonly inFlight = new Set<Portion>()
  /** Topics that were written to since it was last asked about them. */
  private readonly used = new Set<string>()
  private lookAt = 0
  private sweepAt = Infinity
  private cancelSweep: () => void = () => undefined
  private closedBecause: string | undefined

  constructor(cluster: Cluster, compression: Compression) {
    this.cluster = cluster
    this.compression = compression
    this.sticky = new StickyPartitions(() => cluster.clock.random())
  }

  /** How many partitions something waits for, or is under way to. */
  get lineCount(): number {
    return this.lines.size
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
      this.used.add(parcel.topic)
      if (parcel.partition === undefined) this.spread(call, parcel)
      else this.queue(parcel.topic, parcel.partition, portionsOf(call, parcel, false))
    }
    if (this.closedBecause !== undefined) this.giveUp(this.closedBecause)
    else this.sweepBy(deadline)
    this.lookAgain()
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

  /** Many go to several partitions, each in its order, so that no consumer gets all; few to where the last ones went. */
  private spread(call: PublishCall, { topic, records, indexes }: Parcel): void {
    const count = Math.max(1, this.cluster.partitionCount(topic))
    const piece = Math.ceil(records.length / Math.min(count, maxPieces))
    for (let from = 0; from < records.length; from += piece) {
      const to = from + piece
      const part = { records: records.slice(from, to), indexes: indexes.slice(from, to) }
      const line = this.queueFree(topic, count, portionsOf(call, part, true))
      if (to < records.length || line.isFull) this.sticky.moveOn(topic, line.partition)
    }
  }

  private queueFree(topic: string, count: number, portions: readonly Portion[]): PublishLine {
    const partition = this.sticky.choose(topic, count, (one) => this.isThere(topic, one))
    return this.queue(topic, partition, portions)
  }

  /** Whether somebody leads the partition, and answers. */
  private isThere(topic: string, partition: number): boolean {
    const leader = this.cluster.leader({ topic, partition })
    if (leader < 0) return false
    const lane = this.lanes.get(leader)
    return lane === undefined || lane.isThere(this.cluster.clock.now())
  }

  private queue(topic: string, partition: number, portions: readonly Portion[]): PublishLine {
    const key = keyOf(topic, partition)
    let line = this.lines.get(key)
    if (line === undefined) {
      line = new PublishLine(topic, partition)
      this.lines.set(key, line)
    }
    for (const portion of portions) line.add(portion)
    this.wake(line)
    return line
  }

  /** What is sent in one turn goes together. */
  private wake(line: PublishLine): void {
    if (line.isBusy || line.isEmpty) return
    const lane = this.laneOf(this.cluster.leader(line))
    lane.ready.add(line)
    if (lane.isSending || lane.isScheduled) return
    lane.isScheduled = true
    this.cluster.clock.defer(() => {
      lane.isScheduled = false
      if (!lane.isSending) void this.send(lane)
    })
  }

  private laneOf(node: number): PublishLane {
    let lane = this.lanes.get(node)
    if (lane === undefined) {
      lane = new PublishLane(node)
      this.lanes.set(node, lane)
    }
    return lane
  }

  private async send(lane: PublishLane): Promise<void> {
    lane.isSending = true
    try {
      while (lane.ready.size > 0) await this.write(lane)
    } finally {
      lane.isSending = false
    }
  }

  private gather(lane: PublishLane): SentBatch[] {
    const batches: SentBatch[] = []
    let size = 0
    for (const line of lane.ready) {
      lane.ready.delete(line)
      if (line.isBusy) continue
      if (this.cluster.leader(line) !== lane.node) {
        this.wake(line)
        continue
      }
      const portions = line.take()
      if (portions.length === 0) {
        this.release(line)
        continue
      }
      line.isBusy = true
      this.sticky.moveOn(line.topic, line.partition)
      batches.push({ line, portions })
      for (const portion of portions) size += portion.size
      if (size >= maxRequestBytes) break
    }
    return batches
  }

  private async write(lane: PublishLane): Promise<void> {
    const address = this.cluster.address(lane.node)
    if (address === undefined) return this.later(this.gather(lane), notWritten('no leader is known'))
    let batches: readonly SentBatch[] = []
    const lines = (): readonly PublishLine[] =>
      batches.length > 0 ? batches.map(({ line }) => line) : [...lane.ready]
    const answered = watchLeader(this.cluster, lane.node, address, 'publish', lines, () => this.stall(lane))
    try {
      // Before anything is taken: what waits for the connection is surely not written.
      await this.cluster.open(address, 'publish')
      batches = this.gather(lane)
      if (batches.length === 0) return
      const results = await this.ask(address, batches)
      lane.answered()
      this.settle(batches, results)
    } catch (error) {
      lane.failed(this.cluster.clock.now())
      const isWritten = !(error instanceof NoAnswer) || error.isWritten
      const reason = describeError(error)
      if (isWritten) this.end(batches, notConfirmed(reason, error))
      else this.later(batches.length > 0 ? batches : this.gather(lane), notWritten(reason, error))
    } finally {
      answered()
      lane.isStalled = false
      for (const { portions } of batches) for (const portion of portions) this.inFlight.delete(portion)
    }
  }

  private ask(address: NodeAddress, batches: readonly SentBatch[]): Promise<readonly ProduceResult[]> {
    let latest = 0
    for (const { portions } of batches) {
      for (const portion of portions) {
        latest = Math.max(latest, portion.call.deadline)
        this.inFlight.add(portion)
      }
    }
    const timeoutMs = Math.min(maxTimeoutMs, Math.max(1, latest - this.cluster.clock.now()))
    const request = produce(
      batches.map(({ line: { topic, partition }, portions }) => ({
        topic,
        partition,
        records: portions.length === 1 ? portions[0]!.records : portions.flatMap(({ records }) => records),
      })),
      timeoutMs,
      this.compression,
    )
    return this.cluster.askNode(address, 'publish', request, timeoutMs)
  }

  private settle(batches: readonly SentBatch[], results: readonly ProduceResult[]): void {
    const again: SentBatch[] = []
    let problem = notWritten('no answer for its partition')
    for (const sent of batches) {
      const { line } = sent
      const { topic, partition } = line
      const result = results.find((one) => one.partition === partition && one.topic === topic)
      if (result === undefined) {
        this.end([sent], notConfirmed('the broker answered for other partitions only'))
        continue
      }
      const text = (): KafkaError =>
        new KafkaError(result.error, `Produce to ${topic}/${partition}`, result.message)
      switch (fateOf(result)) {
        case 'appended':
          line.grow()
          this.end([sent], 'confirmed')
          break
        case 'notYet': {
          const error = text()
          problem = notWritten(error.message, error)
          again.push(sent)
          break
        }
        case 'unclear': {
          const error = text()
          this.end([sent], notConfirmed(error.message, error))
          // It is another one's turn, or soon will be.
          void this.cluster.refresh([topic]).catch(() => undefined)
          break
        }
        case 'records':
          refuseRecords(sent, result)
          this.release(line)
          break
        case 'refused':
          this.end([sent], refusal(topic, result.error, result.message))
      }
    }
    if (again.length > 0) this.later(again, problem)
  }

  private end(batches: readonly SentBatch[], outcome: PublishOutcome): void {
    answer(batches, outcome)
    for (const { line } of batches) this.release(line)
  }

  /** Nothing of the line is under way any more. */
  private release(line: PublishLine): void {
    line.isBusy = false
    if (!line.isEmpty) return this.wake(line)
    const key = keyOf(line.topic, line.partition)
    if (this.lines.get(key) === line) this.lines.delete(key)
  }

  /** Nothing of it was written: it waits until more is known of who leads its partitions. */
  private later(batches: readonly SentBatch[], problem: PosthornError): void {
    if (batches.length === 0) return
    for (const { line, portions } of batches) {
      for (const portion of portions) portion.problem = problem
      line.putBack(portions)
    }
    const topics = [...new Set(batches.map(({ line }) => line.topic))]
    const goOn = (): void => {
      for (const { line } of batches) {
        this.checkMissing(line)
        this.moveFree(line)
        this.release(line)
      }
    }
    void this.cluster
      .pause(retryPauseMs)
      .then(() => this.cluster.refresh(topics))
      .then(goOn, goOn)
  }

  /** One that has only just been made is not known to all nodes: it is missing when it is so twice. */
  private checkMissing(line: PublishLine): void {
    const count = this.cluster.partitionCount(line.topic)
    if (count > line.partition || (count === 0 && !this.cluster.isMissing(line.topic))) {
      line.timesMissing = 0
      return
    }
    line.timesMissing += 1
    if (line.timesMissing < 2) return
    for (const { call, indexes } of line.takeExpired(Infinity)) call.answer(indexes, call.missing())
  }

  private stall(lane: PublishLane): void {
    lane.isStalled = true
    for (const line of this.lines.values()) {
      if (this.cluster.leader(line) === lane.node) this.moveFree(line)
    }
  }

  /** Gives what may go anywhere to a partition that can be written to, if this one cannot. */
  private moveFree(line: PublishLine): void {
    const { topic, partition } = line
    const count = this.cluster.partitionCount(topic)
    if (this.isThere(topic, partition) || count <= 1) return
    const isThere = (one: number): boolean => this.isThere(topic, one)
    if (!isThere(this.sticky.choose(topic, count, isThere))) return
    const free = line.takeFree()
    if (free.length > 0) this.queueFree(topic, count, free)
  }

  /** Partitions may be added. */
  private lookAgain(): void {
    const now = this.cluster.clock.now()
    if (now < this.lookAt) return
    if (this.lookAt > 0) void this.cluster.refresh([...this.used]).catch(() => undefined)
    this.lookAt = now + lookAgainMs
    this.used.clear()
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
      if (!line.isBusy && line.isEmpty) this.release(line)
    }
    // Not for each of many deadlines that lie close together.
    if (next !== Infinity) this.sweepBy(Math.max(next, now + 10))
  }
}

function keyOf(topic: string, partition: number): string {
  return `${topic} ${partition}`
}
