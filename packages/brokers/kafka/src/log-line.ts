import { readBatches } from './protocol/read-batches.ts'
import type { FetchResult } from './protocol/fetch.ts'
import type { KafkaRecord } from './protocol/record.ts'
import type { TopicPartition } from './protocol/request.ts'

const none: readonly KafkaRecord[] = []

/** What was fetched of one partition and not handed out. */
export class LogLine implements TopicPartition {
  readonly topic: string
  readonly partition: number
  /** Whether more is wanted. */
  isOpen = true
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

  /** Bytes of what was fetched and not handed out, roughly: they are freed together. */
  get bufferedBytes(): number {
    return this.at < this.records.length ? this.bytes : 0
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
    const { records, nextOffset } = readBatches(bytes, this.fetchOffset, aborted)
    this.fetchOffset = nextOffset
    if (records.length === 0) return
    this.records = this.at < this.records.length ? [...this.records.slice(this.at), ...records] : records
    this.at = 0
    this.bytes += bytes.length
    this.onRecords()
  }

  /** Goes on somewhere else; what was fetched is given up. */
  reset(offset: number): void {
    this.fetchOffset = offset
    this.records = none
    this.at = 0
    this.bytes = 0
  }
}
