import { queueFull } from './errors.ts'
import { Deduplication } from './deduplication.ts'
import { Letters } from './letters.ts'
import { Line } from './line.ts'
import { defaultDeadLetterQueue } from './native-names.ts'
import { SharedLine } from './shared-line.ts'
import { Shards } from './shards.ts'
import { shardOf } from './shard-of.ts'
import type { Entry, Origin } from './entry.ts'
import type { BrokerParts } from './parts.ts'
import type { Sharing } from './shared-line.ts'
import type { DeadLetterRecord } from '../contract/dead-letters.ts'
import type { Depth } from '../contract/depth.ts'
import type { WireMessage } from '../contract/wire-message.ts'
import type { PosthornError } from '../errors.ts'

/** How a queue was declared. */
export interface QueueArguments {
  readonly kind: 'queue' | 'group' | 'ephemeral' | 'inbox'
  /** On the broker; `undefined` for what is at most once. */
  readonly deadLetterQueue: string | undefined
  readonly deduplicationWindowMs: number | undefined
  readonly maxMessages: number | undefined
  readonly maxBytes: number | undefined
  /** Of a subscription. */
  readonly patterns: readonly string[] | undefined
}

export const plainArguments: QueueArguments = {
  kind: 'queue',
  deadLetterQueue: undefined,
  deduplicationWindowMs: undefined,
  maxMessages: undefined,
  maxBytes: undefined,
  patterns: undefined,
}

/** Everything that is sent to one name: a queue, what a group of a topic gets, dead letters. */
export class Queue {
  readonly name: string
  readonly arguments: QueueArguments
  readonly lines: readonly Line[]
  readonly sharing: Sharing
  readonly letters: Letters = new Letters()
  /** A pass over its dead letters is open. */
  hasPass = false
  /** What comes and is not to be handed out, where the broker does not filter. */
  readonly refuses: ((message: WireMessage) => boolean) | undefined
  /** Whatever is stored, handed out or not. */
  size = 0
  onDestroyed: (() => void) | undefined = undefined
  /** Hears how many messages did not fit, where that is no reason to refuse them. */
  onMissed: ((count: number) => void) | undefined = undefined
  private readonly parts: BrokerParts
  private readonly deduplication: Deduplication | undefined
  private bytes = 0
  private nextShard = 0
  private missed = 0

  constructor(
    name: string,
    args: QueueArguments,
    parts: BrokerParts,
    refuses?: (message: WireMessage) => boolean,
  ) {
    this.name = name
    this.arguments = args
    this.parts = parts
    this.refuses = refuses
    const { deduplicationWindowMs } = args
    this.deduplication =
      deduplicationWindowMs === undefined ? undefined : new Deduplication(deduplicationWindowMs)
    const { shards } = parts.settings
    this.lines = Array.from({ length: shards ?? 1 }, () => new Line(this, parts))
    this.sharing = shards === undefined ? new SharedLine(this, parts) : new Shards(this, parts)
  }

  /** Why it takes no more, or `undefined`. */
  fullFor(message: WireMessage): PosthornError | undefined {
    const { maxMessages, maxBytes } = this.arguments
    if (maxMessages !== undefined && this.size >= maxMessages)
      return queueFull(this.name, `${maxMessages} messages`)
    if (maxBytes !== undefined && this.bytes + message.body.byteLength > maxBytes) {
      return queueFull(
        this.name,
        `${maxBytes} bytes, with ${this.bytes} there and ${message.body.byteLength} to come`,
      )
    }
    return undefined
  }

  /** Stores what a program sent, unless it has it already or is full. */
  accept(message: WireMessage, now: number): 'confirmed' | PosthornError {
    if (this.deduplication?.has(message.id, now) === true) return 'confirmed'
    const full = this.fullFor(message)
    if (full !== undefined) return full
    this.deduplication?.add(message.id, now)
    this.insert(message, now)
    return 'confirmed'
  }

  /** Stores a message, whatever the bounds are. */
  insert(message: WireMessage, now: number): void {
    const line = this.lineFor(message)
    this.added(message)
    if (message.notBefore !== undefined && message.notBefore > now) {
      this.parts.schedule.add(line, message, message.notBefore)
    } else {
      line.backlog.push(message)
      line.wake()
    }
  }

  insertForeign(message: WireMessage, origin: Origin): void {
    const line = this.lineFor(message)
    this.added(message)
    line.backlog.pushEntry(message, origin, undefined)
    line.wake()
  }

  /** A message did not fit and is gone. */
  miss(): void {
    if (++this.missed > 1) return
    this.parts.clock.defer(() => {
      this.onMissed?.(this.missed)
      this.missed = 0
    })
  }

  addLetter(message: WireMessage, record: DeadLetterRecord): void {
    const line = this.lineFor(message)
    this.added(message)
    this.letters.set(line.backlog.pushEntry(message, undefined, this.letters.next(record)))
    line.wake()
  }

  /** An entry goes on as another one. */
  replace(entry: Entry, again: Entry): void {
    this.bytes += again.message.body.byteLength - entry.message.body.byteLength
    if (again.letter !== undefined) this.letters.set(again)
  }

  /** An entry is done with. */
  removed(entry: Entry): void {
    this.size--
    this.bytes -= entry.message.body.byteLength
    if (entry.letter !== undefined) this.letters.remove(entry.letter)
  }

  /** `deadLetterQueue` is where its dead letters are, if anywhere. */
  depth(deadLetterQueue: string | undefined): Depth {
    let oldest = Infinity
    const sum = { ready: 0, delayed: 0, inFlight: 0 }
    for (const line of this.lines) {
      sum.ready += line.ready
      sum.delayed += line.delayed
      sum.inFlight += line.held
      oldest = Math.min(oldest, line.oldestTime() ?? Infinity)
    }
    return {
      ...sum,
      deadLettered:
        deadLetterQueue === undefined ? 0 : (this.parts.queues.get(deadLetterQueue)?.letters.size ?? 0),
      oldestAgeMs: oldest === Infinity ? 0 : Math.max(0, this.parts.clock.now() - oldest),
      lag: undefined,
    }
  }

  /** Forgets everything; what consumers hold is lost. */
  destroy(): void {
    this.parts.queues.delete(this.name)
    this.onDestroyed?.()
    this.onMissed = undefined
    for (const line of this.lines) for (const session of line.sessions.slice()) session.abandon()
    this.parts.schedule.forget(this.lines)
  }

  private added(message: WireMessage): void {
    this.size++
    this.bytes += message.body.byteLength
  }

  private lineFor(message: WireMessage): Line {
    const { lines } = this
    if (lines.length === 1) return lines[0] as Line
    const shard = message.key === undefined ? this.nextShard++ : shardOf(message.key)
    return lines[shard % lines.length] as Line
  }
}

/** The queue of this name, made when there is none. */
export function openQueue(parts: BrokerParts, name: string): Queue {
  let queue = parts.queues.get(name)
  if (queue === undefined) {
    queue = new Queue(name, { ...plainArguments, deadLetterQueue: defaultDeadLetterQueue(name) }, parts)
    parts.queues.set(name, queue)
  }
  return queue
}
