import { Entry } from './entry.ts'
import type { Queue } from './queue.ts'
import type { BrokerParts } from './parts.ts'
import type { DeadLetterRecord } from '../contract/dead-letters.ts'
import type { WireMessage } from '../contract/wire-message.ts'

/** A message on the broker, as it would be handed out next. */
export interface StoredMessage {
  readonly state: 'ready' | 'delayed' | 'inFlight'
  readonly message: WireMessage
  /** Hand-outs so far, as the broker counts them. */
  readonly deliveries: number
  /** Of a dead letter. */
  readonly record: DeadLetterRecord | undefined
}

/** Everything that a queue holds: in flight first, then ready, then delayed; within each in no order. */
export function readStored(queue: Queue, parts: BrokerParts): readonly StoredMessage[] {
  const stored: StoredMessage[] = []
  const add = (state: StoredMessage['state'], item: WireMessage | Entry): void => {
    stored.push(toStored(state, item))
  }
  for (const line of queue.lines) {
    for (const session of line.sessions) for (const entry of session.held) add('inFlight', entry)
    for (const item of line.backlog) add('ready', item)
    for (const entry of line.lanes) add('ready', entry)
    for (const item of parts.schedule.of(line)) add('delayed', item)
  }
  return stored
}

/** Takes the first message that is ready, and keeps it. */
export function takeStored(queue: Queue): StoredMessage | undefined {
  for (const line of queue.lines) {
    const entry = line.takeAway()
    if (entry !== undefined) return toStored('ready', entry)
  }
  return undefined
}

function toStored(state: StoredMessage['state'], item: WireMessage | Entry): StoredMessage {
  if (!(item instanceof Entry)) return { state, message: item, deliveries: 0, record: undefined }
  const deliveries = state === 'inFlight' ? item.deliveries : item.deliveries - 1
  return { state, message: item.kept, deliveries, record: item.letter?.record }
}
