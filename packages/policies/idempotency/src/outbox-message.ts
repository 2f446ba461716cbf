import {
  deriveId,
  PosthornError,
  type Context,
  type HandlerOutput,
  type Message,
  type OutgoingMessage,
} from '@posthorn/transport'
import type { OutboxMessage } from '@posthorn/store'

/** An output as it waits in the outbox. */
interface Waiting {
  readonly kind: 'send' | 'publish'
  readonly to: string
  /** Epoch milliseconds of the process that wrote it. */
  readonly notBefore?: number
  /** Base64 of data that are bytes; `message.data` is then left out. */
  readonly bytes?: string
  readonly message: Omit<OutgoingMessage, 'delayMs' | 'data'> & { readonly data?: unknown }
}

/** What the relay sends. */
export interface ReadOutput {
  readonly kind: 'send' | 'publish'
  readonly destination: string
  readonly message: OutgoingMessage
}

/**
 * A row for what a handler sends. It has the handled message as its cause, and an id that is the same each time the handler
 * runs. Throws `POSTHORN_INVALID_DATA` for what JSON cannot hold, before anything is written.
 */
export function toOutbox(
  cause: Message,
  { source }: Context,
  ordinal: number,
  { kind, destination, message }: HandlerOutput,
  now: number,
): OutboxMessage {
  const { data, delayMs, ...fields } = message
  const id = fields.id ?? deriveId(cause.id, source, destination, ordinal)
  const correlationId = fields.correlationId ?? cause.correlationId
  const bytes = data instanceof Uint8Array ? Buffer.from(data).toString('base64') : undefined
  const waiting: Waiting = {
    kind,
    to: destination,
    ...(delayMs === undefined ? {} : { notBefore: now + delayMs }),
    ...(bytes === undefined ? {} : { bytes }),
    message: {
      ...fields,
      id,
      time: toEpoch(fields.time) ?? now,
      causationId: fields.causationId ?? cause.id,
      ...(correlationId === undefined ? {} : { correlationId }),
      ...(fields.expiresAt === undefined ? {} : { expiresAt: toEpoch(fields.expiresAt) as number }),
      ...(bytes === undefined ? { data } : {}),
    },
  }
  // Two kinds of destination may have the same name, and one message be for both.
  const rowId = `${kind} ${destination} ${id}`
  return {
    id: rowId,
    body: toJson(waiting, destination),
    ...(fields.key === undefined ? {} : { key: fields.key }),
  }
}

/** Throws `POSTHORN_INVALID_DATA` for a row that is none of `toOutbox`. */
export function fromOutbox({ id, body }: OutboxMessage, now: number): ReadOutput {
  try {
    const { kind, to, notBefore, bytes, message } = JSON.parse(body) as Waiting
    const data = bytes === undefined ? message.data : new Uint8Array(Buffer.from(bytes, 'base64'))
    const delayMs = notBefore === undefined ? 0 : Math.max(0, notBefore - now)
    return { kind, destination: to, message: { ...message, data, ...(delayMs > 0 ? { delayMs } : {}) } }
  } catch (cause) {
    const text = `The outbox has a row "${id}" that cannot be read. Look at it with the database's own tools, and remove it.`
    throw new PosthornError('POSTHORN_INVALID_DATA', text, { phase: 'publish', outcome: 'rejected', cause })
  }
}

function toEpoch(time: number | Date | undefined): number | undefined {
  return time instanceof Date ? time.getTime() : time
}

function toJson(waiting: Waiting, destination: string): string {
  try {
    return JSON.stringify(waiting)
  } catch (cause) {
    const text = `What is sent to "${destination}" cannot be written as JSON: ${(cause as Error).message}. Nothing was sent.`
    throw new PosthornError('POSTHORN_INVALID_DATA', text, { phase: 'publish', outcome: 'rejected', cause })
  }
}
