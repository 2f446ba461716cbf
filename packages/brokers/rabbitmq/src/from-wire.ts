import { readEnvelope } from '@posthorn/transport/driver'
import { readUsersHeaders } from './brokers-headers.ts'
import { messageTime } from './message-time.ts'
import { addressOf } from './names.ts'
import { appId } from './to-wire.ts'
import type { Message } from 'amqplib'

/** What reading a message needs beside it. */
export interface ReadingContext {
  readonly namespace: string
  /** Epoch milliseconds. */
  readonly now: number
  readonly createId: () => string
}

const noHeaders: Readonly<Record<string, unknown>> = Object.freeze({})

export type WireReading = ReturnType<typeof readEnvelope>

/** A message as it comes from the broker, whoever sent it. Never throws. */
export function fromWire(raw: Message, context: ReadingContext): WireReading {
  const { properties, fields } = raw
  const given = headersOf(raw)
  const id = text(properties.messageId)
  const timestamp = properties.timestamp as unknown
  // Ours is in a header, or the type.
  const hasRoutingKey = fields.exchange !== '' && !isOurs(text(properties.appId))
  return readEnvelope({
    headers: given === noHeaders ? undefined : readUsersHeaders(given),
    native: {
      id,
      type: text(properties.type),
      time: typeof timestamp === 'number' ? messageTime(timestamp, id) : undefined,
      contentType: text(properties.contentType),
      correlationId: text(properties.correlationId),
      replyTo: readReplyTo(properties.replyTo, context.namespace),
      priority: typeof properties.priority === 'number' ? properties.priority : undefined,
      routingKey: hasRoutingKey ? fields.routingKey : undefined,
    },
    body: raw.content,
    position: undefined,
    now: context.now,
    createId: context.createId,
  })
}

/** The broker's hand-outs of the message, this one included. */
export function deliveriesOf(raw: Message): number {
  // Whatever a producer, or another queue on its way, has written.
  if (!raw.fields.redelivered) return 1
  const count: unknown = headersOf(raw)['x-delivery-count']
  if (typeof count === 'number' && count >= 0) return Math.floor(count) + 1
  // Classic queues do not count.
  return 2
}

/** All headers as they came; never `undefined`. */
export function headersOf(raw: Message): Readonly<Record<string, unknown>> {
  return (raw.properties.headers as Record<string, unknown> | undefined) ?? noHeaders
}

function isOurs(given: string | undefined): boolean {
  return given === appId || given?.startsWith(`${appId}/`) === true
}

function readReplyTo(value: unknown, namespace: string): string | undefined {
  const replyTo = text(value)
  return replyTo === undefined ? undefined : addressOf(namespace, replyTo)
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
