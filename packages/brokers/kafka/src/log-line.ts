import { readBatches } from './protocol/read-batches.ts'
import type { FetchResult } from './protocol/fetch.ts'
import type { KafkaRecord } from './protocol/record.ts'
import type { TopicPartition } from './protocol/request.ts'

const none: readonly KafkaRecord[] = []

/** What was fetched of one partition and not handed out. */
export class LogLine implements TopicPartition {
  readonly topic: string
  readonly partition: number
  /** Whether a request for it is under way. */
  isFetching = false
  /** Where the next fetch begins. */
  fetchOffset: number
  /** Tells that there is something new. */
  onRecords: () => void = () => undefined
  private records = none
  private at = 0
  private bytes = 0

  constructor(topic: string, partition: number, offset: number) {
    this.topic = topic
    this.partition = partition
    this.fetchOffset = offset
  }

  /** Bytes of what was fetched and not handed out, decompressed, roughly. */
  get bufferedBytes(): number {
    const { length } = this.records
    return this.at < length ? (this.bytes * (length - this.at)) / length : 0
  }

  get peek(): KafkaRecord | undefined {
    return this.records[this.at]
  }

  shift(): void {
    this.at += 1
    if (this.at < this.records.length) return
    this.records = none
    this.at = 0
    this.bytes = 0
  }

  accept({ bytes, aborted }: FetchResult): void {
    const { records, nextOffset, size } = readBatches(bytes, this.fetchOffset, aborted)
    // Some of it may be nobody's, such as the markers of transactions: then there is nothing new, and yet it is passed.
    if (nextOffset === this.fetchOffset) return
    this.fetchOffset = nextOffset
    const kept = this.bufferedBytes
    this.records = this.at < this.records.length ? [...this.records.slice(this.at), ...records] : records
    this.at = 0
    this.bytes = kept + size
    this.onRecords()
  }

  /** Goes on at a later offset: what was to come before it is gone. */
  skipTo(offset: number): void {
    this.fetchOffset = offset
    this.onRecords()
  }
}
