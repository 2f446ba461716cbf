import type { DeadLetterRecord } from '../contract/dead-letters.ts'
import type { Delivery, Scope } from '../contract/driver.ts'
import type { WireMessage } from '../contract/wire-message.ts'
import type { Lane } from './key-lanes.ts'
import type { Line } from './line.ts'

/** `parked`: ready, but its key is busy elsewhere. `spent`: settled, or gone back as another entry. */
export type Place = 'ready' | 'parked' | 'delayed' | 'held' | 'spent'

/** What is known of a message that a foreign program put. */
export interface Origin {
  /** Makes another id for each hand-out, where there is nothing that would be the same each time. */
  readonly createId: (() => string) | undefined
  readonly invalid: string | undefined
}

/** What makes an entry a dead letter. */
export interface Letter {
  /** Stable while it is kept; rises with time. */
  readonly number: number
  readonly record: DeadLetterRecord
}

const nowhere: Scope = { name: '(not handed out)' }
const defaultPriority = 4

/**
 * A message at its position in a line, good for one hand-out: it is the delivery, too. What comes back is a new entry at
 * the same position, so a late settlement of the old one finds it spent.
 */
export class Entry implements Delivery {
  scope: Scope = nowhere
  readonly message: WireMessage
  readonly deliveries: number
  readonly line: Line
  readonly origin: Origin | undefined
  readonly letter: Letter | undefined
  place: Place = 'ready'
  /** Rises along the messages of one priority. */
  sequence: number
  priority: number
  /** What is handed out next time; `hold` replaces it. */
  kept: WireMessage
  /** Epoch milliseconds; when its lease ends, or its scope's hold. */
  deadline = 0
  /** Neighbours in the list of what its session holds. */
  previous: Entry | undefined = undefined
  next: Entry | undefined = undefined
  /** Of its key, while it is held under `order: 'key'`. */
  lane: Lane | undefined = undefined

  constructor(
    line: Line,
    message: WireMessage,
    sequence: number,
    priority: number,
    deliveries: number,
    origin: Origin | undefined,
    letter: Letter | undefined,
  ) {
    this.line = line
    this.message = message
    this.kept = message
    this.sequence = sequence
    this.priority = priority
    this.deliveries = deliveries
    this.origin = origin
    this.letter = letter
  }

  get token(): unknown {
    return this.sequence
  }

  get invalid(): string | undefined {
    return this.origin?.invalid
  }

  /** The same message for its next hand-out. */
  again(message: WireMessage, deliveries: number): Entry {
    const id = this.origin?.createId?.()
    const next = id === undefined ? message : { ...message, id }
    return new Entry(this.line, next, this.sequence, this.priority, deliveries, this.origin, this.letter)
  }
}

export function priorityOf(message: WireMessage): number {
  return message.priority ?? defaultPriority
}

/** Higher priority first, then first in, first out. */
export function precedes(a: Entry, b: Entry): boolean {
  return a.priority === b.priority ? a.sequence < b.sequence : a.priority > b.priority
}
