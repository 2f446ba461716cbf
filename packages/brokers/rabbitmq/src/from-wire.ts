import { readEnvelope } from '@posthorn/transport/driver'
import { addressOf } from './names.ts'
import type { Message } from 'amqplib'

/** What reading a message needs beside it. */
export interface ReadingContext {
  readonly namespace: string
  /** Epoch milliseconds. */
  readonly now: number
  readonly createId: () => string
}

export type WireReading = ReturnType<typeof readEnvelope>

const versionHeader = 'posthorn-version'

/** On copies of what had no id: the original would get another one if it came again. */
const madeUpHeader = 'posthorn-made-up'
export const madeUpId: Readonly<Record<string, string>> = { [madeUpHeader]: '1' }

/** What brokers add on a message's way. Carried over by a copy, they route it elsewhere, or end its retries. */
function isBrokers(name: string): boolean {
  switch (name) {
    case 'CC':
    case 'BCC':
    case 'x-death':
    case 'x-delivery-count':
    case 'x-acquired-count':
      return true
    default:
      return name.startsWith('x-first-death-') || name.startsWith('x-last-death-')
  }
}

/** A message as it comes from the broker, whoever sent it. Never throws. */
export function fromWire(raw: Message, context: ReadingContext): WireReading {
  const { properties, fields } = raw
  const given = headersOf(raw)
  const isOurs = given[versionHeader] !== undefined
  const timestamp = properties.timestamp as unknown
  const reading = readEnvelope({
    headers: withoutBrokers(given),
    native: {
      id: text(properties.messageId),
      type: text(properties.type),
      time: typeof timestamp === 'number' ? timestamp * 1_000 : undefined,
      contentType: text(properties.contentType),
      correlationId: text(properties.correlationId),
      replyTo: readReplyTo(properties.replyTo, context.namespace),
      priority: typeof properties.priority === 'number' ? properties.priority : undefined,
      // Ours is in a header, or the type.
      routingKey: isOurs || fields.exchange === '' ? undefined : fields.routingKey,
    },
    body: raw.content,
    position: undefined,
    now: context.now,
    createId: context.createId,
  })
  return given[madeUpHeader] === undefined ? reading : { ...reading, stableId: false }
}

/** The broker's hand-outs of the message, this one included. */
export function deliveriesOf(raw: Message): number {
  const count: unknown = headersOf(raw)['x-delivery-count']
  if (typeof count === 'number' && count >= 0) return Math.floor(count) + 1
  // Classic queues do not count.
  return raw.fields.redelivered ? 2 : 1
}

/** All headers as they came; never `undefined`. */
export function headersOf(raw: Message): Readonly<Record<string, unknown>> {
  return (raw.properties.headers as Record<string, unknown> | undefined) ?? {}
}

function withoutBrokers(headers: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  let kept: Record<string, unknown> | undefined
  for (const name of Object.keys(headers)) {
    if (!isBrokers(name)) continue
    kept ??= Object.fromEntries(Object.entries(headers).filter(([one]) => !isBrokers(one)))
    break
  }
  return kept ?? headers
}

function readReplyTo(value: unknown, namespace: string): string | undefined {
  const replyTo = text(value)
  return replyTo === undefined ? undefined : addressOf(namespace, replyTo)
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
