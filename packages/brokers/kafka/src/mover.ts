import { CommitWaiters } from './commit-waiters.ts'
import { readyLine, readyPartition, stepCount, stepFor, delaySteps } from './delay-steps.ts'
import { fromWire } from './from-wire.ts'
import { topologyMissing } from './errors.ts'
import { ownHeaders } from './headers.ts'
import { keyPartition } from './dispatcher.ts'
import type { Committer, CommitOwner } from './committer.ts'
import type { Entry } from './position.ts'
import type { Parcel } from './parcel.ts'
import type { Publisher } from './publisher.ts'
import type { Commit } from './protocol/offsets.ts'
import type { KafkaRecord, NewRecord } from './protocol/record.ts'
import type { Reading } from './reading.ts'
import type { Clock, PosthornError, WireMessage } from '@posthorn/transport/driver'

/** What is read ahead, so that what is due sooner need not wait for what is due later. */
const maxAhead = 1_000
const maxAheadBytes = 4 * 1024 * 1024
/** Milliseconds. */
const writeTimeoutMs = 30_000
const retryPauseMs = 500

interface Waiting {
  readonly record: KafkaRecord
  readonly entry: Entry
  readonly dueAt: number
  /** When it goes on, due or not: nothing stays at one place for longer than its step. */
  readonly leavesAt: number
  readonly line: number
}

export interface MoverParts {
  readonly clock: Clock
  readonly committer: Committer
  readonly publisher: Publisher
  /** The retry topic of the source. */
  readonly retry: string
  /** How many partitions the source has. */
  readonly partitions: () => number
  /** How many partitions of the retry topic are ready ones. */
  readonly ready: () => number
  readonly matches: (message: WireMessage) => boolean
  readonly drained: () => void
}

/**
 * Reads one delay step and passes on what is due to the partition of the retry topic that is ready to be handed out, or, where
 * its delay is longer than the longest step, to a step again.
 */
export class Mover implements CommitOwner {
  readonly reading: Reading
  private readonly parts: MoverParts
  private readonly waiters = new CommitWaiters()
  private readonly waiting = new Set<Waiting>()
  /** Of what waits, its bodies. */
  private bytes = 0
  private timer: { readonly at: number; readonly cancel: () => void } | undefined
  private moving: Promise<void> | undefined
  private state: 'open' | 'stopped' | 'closed' = 'open'

  constructor(reading: Reading, parts: MoverParts) {
    this.reading = reading
    this.parts = parts
    reading.line.onRecords = () => this.pump()
  }

  /** Moves nothing more, and commits what it has. */
  async finish(): Promise<void> {
    if (this.state === 'open') this.state = 'stopped'
    this.timer?.cancel()
    await this.moving
    if ((this.state as string) === 'closed') return
    const committed = this.waiters.add()
    this.parts.committer.mark(this)
    await committed
  }

  close(): void {
    this.state = 'closed'
    this.timer?.cancel()
    this.parts.committer.forget(this)
    this.waiters.close()
  }

  commits(): readonly Commit[] {
    this.waiters.begin()
    return [this.reading.commit(true)]
  }

  committed(): void {
    this.reading.committed()
    this.waiters.end('confirmed')
  }

  failed(): void {
    this.waiters.end('lost')
    // What it has passed on would come again otherwise.
    this.parts.clock.setTimer(() => this.state === 'open' && this.parts.committer.mark(this), retryPauseMs)
  }

  private pump(): void {
    const { reading, parts, waiting } = this
    const { line, position } = reading
    const now = parts.clock.now()
    let hasPassed = false
    while (this.state === 'open' && waiting.size < maxAhead && this.bytes < maxAheadBytes) {
      const record = reading.peek()
      // Past the bound what is due sooner waits for what is open before it.
      if (record === undefined || !position.hasRoomFor(record.offset)) break
      line.shift()
      const found = this.read(record, now)
      if (found === undefined) {
        position.pass(record.nextOffset)
        hasPassed = true
      } else {
        waiting.add({ ...found, record, entry: position.handOut(record.offset, record.nextOffset) })
        this.bytes += sizeOf(record)
      }
    }
    if (hasPassed) parts.committer.mark(this)
    parts.drained()
    this.arm()
  }

  private read(
    record: KafkaRecord,
    now: number,
  ): { readonly dueAt: number; readonly leavesAt: number; readonly line: number } | undefined {
    const { topic, partition } = this.reading.line
    const { message } = fromWire(record, { topic, partition, now })
    const count = Math.max(1, this.parts.partitions())
    const line = readyLine(record.headers[ownHeaders.line])
    // What cannot be read goes on to where it becomes a dead letter.
    const isOwn = line !== undefined || record.problem !== undefined || this.parts.matches(message)
    if (!isOwn) return undefined
    const dueAt = message.notBefore ?? now
    return {
      dueAt,
      leavesAt: Math.min(dueAt, now + delaySteps[partition % stepCount]!),
      line: line ?? spread(message, record.offset, count),
    }
  }

  /** Has a look when the next one leaves. */
  private arm(): void {
    if (this.state !== 'open' || this.moving !== undefined) return
    let next = Infinity
    for (const { leavesAt } of this.waiting) next = Math.min(next, leavesAt)
    if (next === Infinity || (this.timer !== undefined && this.timer.at <= next)) return
    this.timer?.cancel()
    const cancel = this.parts.clock.setTimer(
      () => {
        this.timer = undefined
        this.moving = this.move().finally(() => {
          this.moving = undefined
          this.pump()
        })
      },
      Math.max(0, next - this.parts.clock.now()),
    )
    this.timer = { at: next, cancel }
  }

  private async move(): Promise<void> {
    const { clock, publisher, retry, committer } = this.parts
    const now = clock.now()
    const leaving = [...this.waiting].filter(({ leavesAt }) => leavesAt <= now)
    const parcels = new Map<
      number,
      { topic: string; partition: number; records: NewRecord[]; indexes: number[] }
    >()
    for (const [index, { dueAt, line, record }] of leaving.entries()) {
      const partition = dueAt <= now ? readyPartition(line, this.parts.ready()) : stepFor(dueAt - now)
      let parcel = parcels.get(partition)
      if (parcel === undefined) {
        parcel = { topic: retry, partition, records: [], indexes: [] }
        parcels.set(partition, parcel)
      }
      parcel.records.push(again(record, line))
      parcel.indexes.push(index)
    }
    const all: Parcel[] = [...parcels.values()]
    const missing = (): PosthornError => topologyMissing(`The retry topic "${retry}"`)
    const outcomes = await publisher.publish(all, leaving.length, now + writeTimeoutMs, missing)
    let hasFailed = false
    for (const [index, one] of leaving.entries()) {
      if (outcomes[index] === 'confirmed') {
        this.waiting.delete(one)
        this.bytes -= sizeOf(one.record)
        this.reading.position.done(one.entry)
      } else {
        hasFailed = true
      }
    }
    if (this.state !== 'closed') committer.mark(this)
    if (hasFailed) {
      await new Promise<void>((resolve) => {
        clock.setTimer(resolve, retryPauseMs)
      })
    }
  }
}

function sizeOf({ value }: KafkaRecord): number {
  return value?.length ?? 0
}

function spread({ key }: WireMessage, offset: number, partitions: number): number {
  return key === undefined ? offset % partitions : keyPartition(key, partitions)
}

function again({ timestamp, key, value, headers }: KafkaRecord, line: number): NewRecord {
  const kept: Record<string, string> = {}
  for (const name in headers) {
    const text = headers[name]
    if (text !== undefined) kept[name] = text
  }
  kept[ownHeaders.line] = `${line}`
  return { timestamp, key, value, headers: kept }
}
