import { LogLine } from './log-line.ts'
import { Position } from './position.ts'
import type { KafkaRecord } from './protocol/record.ts'
import type { Commit } from './protocol/offsets.ts'
import type { TopicPartition } from './protocol/request.ts'

/** One partition that is read and whose position is committed. */
export class Reading {
  readonly line: LogLine
  readonly position: Position
  /** The position that the broker has. */
  committedOffset = 0
  /** What is below was deleted. */
  trimmedTo = 0
  private reserving = 0
  private committing = 0
  /** Which log it is, as `logOf` has it. */
  readonly log: string | undefined

  constructor({ topic, partition }: TopicPartition, offset: number, metadata: string, log?: string) {
    this.line = new LogLine(topic, partition, offset)
    this.position = new Position(offset, metadata, log)
    this.log = log
  }

  /** The place of a record: of one in a topic that was made anew it is another one. */
  placeOf(offset: number): string {
    const { topic, partition } = this.line
    return `${topic}/${partition}/${offset}${this.log === undefined ? '' : `@${this.log}`}`
  }

  /** The next record that is not done already; it is taken by `shift` of the line. */
  peek(): KafkaRecord | undefined {
    const { line, position } = this
    for (;;) {
      const record = line.peek
      // What lies before it is not there, however many offsets that are.
      position.pass(record?.offset ?? line.fetchOffset)
      if (record === undefined || !position.wasDone(record.offset)) return record
      line.shift()
      position.pass(record.nextOffset)
    }
  }

  commit(isOver: boolean): Commit {
    const { topic, partition } = this.line
    const { offset, metadata, reserves } = this.position.commit(isOver)
    this.reserving = reserves
    this.committing = offset
    return { topic, partition, offset, metadata }
  }

  committed(): void {
    this.committedOffset = Math.max(this.committedOffset, this.committing)
    this.position.reserved = Math.max(this.position.reserved, this.reserving)
  }
}
