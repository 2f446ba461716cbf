import { checkHeaders } from './check-headers.ts'
import {
  checkId,
  checkKey,
  checkPriority,
  checkReplyTo,
  checkText,
  checkTime,
  refuseField,
  refuseUnknownField,
} from './check-fields.ts'
import { PosthornError, toPosthornError, withOutcome } from '../errors.ts'
import type { CreateId } from './create-id.ts'
import { describeBroker, requireFeature, type BrokerIdentity } from '../requirements.ts'
import type { Clock } from '../contract/clock.ts'
import type { Codec, EncodedBody } from '../contract/codec.ts'
import type { OutgoingMessage } from '../contract/message.ts'
import type { MessageHeaders, WireMessage } from '../contract/wire-message.ts'

export interface MessagePreparerParts {
  readonly codec: Codec
  readonly clock: Clock
  readonly createId: CreateId
  /** Of the broker that is connected to. */
  readonly broker: () => BrokerIdentity
}

/** Makes the message to send to a destination, or throws a `PosthornError` whose outcome is `rejected`. */
export type PrepareMessage = (destinationName: string, message: OutgoingMessage) => WireMessage

/** Checks every field of an outgoing message, fills in the defaults and encodes the data, before any I/O. */
export function createMessagePreparer(parts: MessagePreparerParts): PrepareMessage {
  const { codec, clock, createId } = parts

  return (destinationName, message) => {
    if (typeof message !== 'object' || message === null) {
      return refuseField('message', message, 'must be an object with `data`')
    }
    const {
      data,
      id,
      type,
      time,
      headers,
      key,
      routingKey,
      correlationId,
      causationId,
      replyTo,
      expiresAt,
      priority,
      delayMs,
    } = message
    checkFieldNames(message)

    const now = Math.floor(clock.now())
    const broker = parts.broker()
    const { limits } = broker.capabilities
    const encoded = encode(codec, data)
    if (encoded.body.length > limits.maxBodyBytes)
      refuseBody(encoded.body.length, limits.maxBodyBytes, broker.name)
    const checkedHeaders = checkHeaders(headers)
    if (headers !== undefined) checkHeaderBytes(checkedHeaders, limits.maxHeaderBytes, broker.name)
    if (type !== undefined) checkText('type', type, 1)
    if (routingKey !== undefined) checkText('routingKey', routingKey, 0)
    if (priority !== undefined) {
      checkPriority(priority)
      requireFeature(broker, 'priority', 'A message with a priority', 'publish')
    }
    return {
      id: id === undefined ? createId(now) : checkId(id),
      idMadeUp: false,
      type: type ?? destinationName,
      time: time === undefined ? now : checkTime('time', time),
      body: encoded.body,
      contentType: encoded.contentType,
      headers: checkedHeaders,
      key: key === undefined ? undefined : checkKey(key),
      routingKey: routingKey ?? type ?? destinationName,
      correlationId: correlationId === undefined ? undefined : checkText('correlationId', correlationId, 1),
      causationId: causationId === undefined ? undefined : checkText('causationId', causationId, 1),
      replyTo: replyTo === undefined ? undefined : checkReplyTo(replyTo),
      expiresAt: expiresAt === undefined ? undefined : checkTime('expiresAt', expiresAt),
      priority,
      notBefore: delayMs === undefined ? undefined : toNotBefore(delayMs, now, broker),
      attempt: 1,
      releases: 0,
      trials: 0,
      replays: 0,
      firstFailedAt: undefined,
      lastFailedAt: undefined,
      lastError: undefined,
    }
  }
}

const knownFields: readonly string[] = [
  'data',
  'id',
  'type',
  'time',
  'headers',
  'key',
  'routingKey',
  'correlationId',
  'causationId',
  'replyTo',
  'expiresAt',
  'priority',
  'delayMs',
] satisfies readonly (keyof OutgoingMessage)[]
const known: ReadonlySet<string> = new Set(knownFields)

function checkFieldNames(message: object): void {
  for (const name in message) {
    if (!known.has(name) && (message as Record<string, unknown>)[name] !== undefined)
      refuseUnknownField(name, knownFields)
  }
}

function encode(codec: Codec, data: unknown): EncodedBody {
  let encoded: EncodedBody
  try {
    encoded = codec.encode(data)
  } catch (error) {
    throw withOutcome(toPosthornError(error, 'POSTHORN_INVALID_DATA', { phase: 'publish' }), 'rejected')
  }
  if (encoded?.body instanceof Uint8Array && typeof encoded.contentType === 'string') return encoded
  throw new PosthornError(
    'POSTHORN_INVALID_DATA',
    'The codec must answer with `{ body, contentType }`: a Uint8Array and a string.',
    { phase: 'publish', outcome: 'rejected' },
  )
}

function toNotBefore(delayMs: unknown, now: number, broker: BrokerIdentity): number | undefined {
  if (typeof delayMs !== 'number' || !Number.isFinite(delayMs) || delayMs < 0) {
    return refuseField('delayMs', delayMs, 'must be a number of milliseconds from 0')
  }
  if (delayMs === 0) return undefined
  requireFeature(broker, 'delayedSend', 'A message with delayMs', 'publish')
  const { limits, alternative = 'Send it later.' } = broker.capabilities.features.delayedSend
  const maxMs = limits?.['maxMs'] ?? Infinity
  if (delayMs > maxMs) {
    throw new PosthornError(
      'POSTHORN_UNSUPPORTED',
      `A delay of ${delayMs} ms is longer than ${describeBroker(broker)} can: ${maxMs} ms. ${alternative}`,
      { phase: 'publish', outcome: 'rejected' },
    )
  }
  return Math.ceil(now + delayMs)
}

function checkHeaderBytes(headers: MessageHeaders, maxBytes: number, broker: string): void {
  let bytes = 0
  for (const name in headers) bytes += name.length + Buffer.byteLength(headers[name]!)
  if (bytes <= maxBytes) return
  throw new PosthornError(
    'POSTHORN_HEADERS_TOO_LARGE',
    `The headers are ${bytes} bytes; ${broker} takes ${maxBytes}. Put what is large into the data.`,
    { phase: 'publish', outcome: 'rejected' },
  )
}

function refuseBody(bytes: number, maxBytes: number, broker: string): never {
  throw new PosthornError(
    'POSTHORN_BODY_TOO_LARGE',
    `The encoded data is ${bytes} bytes; ${broker} takes ${maxBytes}. Store it elsewhere and send where it is.`,
    { phase: 'publish', outcome: 'rejected' },
  )
}
