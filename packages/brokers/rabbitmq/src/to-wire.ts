import { writeEnvelope } from '@posthorn/transport/driver'
import { keepUsersHeaders } from './brokers-headers.ts'
import { messageTime } from './message-time.ts'
import { nativeName } from './names.ts'
import type { WireMessage } from '@posthorn/transport/driver'

type Field = Parameters<typeof writeEnvelope>[1] extends ReadonlySet<infer Name> ? Name : never

// The routing key is a header as well: on its way through queues the native one says where a message goes.
const nativeFields: ReadonlySet<Field> = new Set<Field>([
  'id',
  'type',
  'correlationId',
  'replyTo',
  'contentType',
  'priority',
])
const nativeFieldsAndTime: ReadonlySet<Field> = new Set([...nativeFields, 'time'])

/** By which Posthorn's messages are known; what comes behind it is the driver's own. */
export const appId = 'posthorn'

/** Bytes of AMQP's short strings. */
const maxShortString = 255

/** The native properties of a message, in amqplib's names. */
export interface WireProperties {
  readonly headers: Record<string, string> | undefined
  /** 2: it is to survive a restart. */
  readonly deliveryMode: 2
  /** Epoch seconds. */
  readonly timestamp: number
  appId: string
  readonly messageId: string | undefined
  readonly type: string | undefined
  readonly contentType: string | undefined
  readonly correlationId: string | undefined
  readonly replyTo: string | undefined
  readonly priority: number | undefined
}

/** The message's body as amqplib wants it. */
export function toBuffer(body: Uint8Array): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength)
}

/** The properties of a message on its way to the broker; `extra` are headers of the driver's own. */
export function toWire(
  message: WireMessage,
  namespace: string,
  extra?: Readonly<Record<string, string>>,
): WireProperties {
  const timestamp = Math.floor(message.time / 1_000)
  const native = fitting(message, timestamp)
  const headers = writeEnvelope(message, native)
  keepUsersHeaders(headers, message.headers)
  if (extra !== undefined) for (const name in extra) headers[name] = extra[name]!
  const { id, type, contentType, correlationId, replyTo, priority } = message
  return {
    headers: isEmpty(headers) ? undefined : headers,
    deliveryMode: 2,
    timestamp,
    appId,
    messageId: native.has('id') ? id : undefined,
    type: native.has('type') && type !== '' ? type : undefined,
    contentType: native.has('contentType') && contentType !== '' ? contentType : undefined,
    correlationId: native.has('correlationId') ? correlationId : undefined,
    replyTo: replyTo === undefined || !native.has('replyTo') ? undefined : nativeReplyTo(namespace, replyTo),
    priority,
  }
}

function isEmpty(headers: object): boolean {
  for (const _ in headers) return false
  return true
}

/** Where any AMQP program can answer to. */
function nativeReplyTo(namespace: string, replyTo: string): string {
  return replyTo.startsWith('inbox/') ? nativeName(namespace, replyTo) : replyTo
}

/** The fields that travel natively: all of them, but for what is too long for a short string. */
function fitting(message: WireMessage, timestamp: number): ReadonlySet<Field> {
  const { id, type, contentType, correlationId, replyTo } = message
  if (
    isShort(id) &&
    isShort(type) &&
    isShort(contentType) &&
    (correlationId === undefined || isShort(correlationId)) &&
    (replyTo === undefined || isShort(replyTo))
  ) {
    return messageTime(timestamp, id) === message.time ? nativeFieldsAndTime : nativeFields
  }
  const texts = { id, type, contentType, correlationId, replyTo }
  const isTooLong = (field: Field): boolean => {
    const value = field in texts ? texts[field as keyof typeof texts] : undefined
    return value !== undefined && !isShort(value)
  }
  return new Set([...nativeFields].filter((field) => !isTooLong(field)))
}

function isShort(text: string): boolean {
  // The namespace of a reply's address has room, too.
  return text.length <= 64 || Buffer.byteLength(text) <= maxShortString - 32
}
