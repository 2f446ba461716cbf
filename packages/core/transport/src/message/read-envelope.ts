import { noHeaders, unsafeNames } from './check-headers.ts'
import {
  controlCharacter,
  parseAttempt,
  parseCount,
  parseError,
  parseFlag,
  parseId,
  parseKey,
  parsePriority,
  parseText,
  parseTime,
  wanted,
} from './parse-fields.ts'
import { envelopeVersion, headerNames, versionHeader } from './header-names.ts'
import { showValue } from '../options/show-value.ts'
import type { EnvelopeField } from './header-names.ts'
import type { Parse } from './parse-fields.ts'
import type { MessageHeaders, WireMessage } from '../contract/wire-message.ts'

/** What the broker's native properties say; `undefined` is "nothing". Checked as headers are. */
export type NativeFields = { readonly [Field in EnvelopeField]?: WireMessage[Field] | undefined }

export interface EnvelopeInput {
  readonly headers: Readonly<Record<string, unknown>> | undefined
  readonly native: NativeFields
  readonly body: Uint8Array
  /** Where the broker keeps the message, if that is the same on every hand-out; the identity of what has no id. */
  readonly position: string | undefined
  /** Epoch milliseconds; the time of what has none. */
  readonly now: number
  readonly createId: () => string
}

export interface EnvelopeReading {
  readonly message: WireMessage
  /** What cannot be trusted, naming the header; the message has a harmless value in its place. */
  readonly invalid: string | undefined
}

/**
 * Reads a message from the broker, whoever sent it. Never throws. A header goes before a native property; fields that are
 * in neither get what a message of somebody else's is taken for: the type '' and the first attempt.
 */
export function readEnvelope(input: EnvelopeInput): EnvelopeReading {
  const reader = new EnvelopeReader(input)
  const id = reader.read('id', parseId)
  const type = reader.read('type', parseText) ?? ''
  const message: WireMessage = {
    id: id ?? input.position ?? input.createId(),
    idMadeUp:
      reader.read('idMadeUp', parseFlag) === true || (id === undefined && input.position === undefined),
    type,
    time: reader.read('time', parseTime) ?? input.now,
    body: input.body,
    contentType: reader.read('contentType', parseText) ?? reader.headers['content-type'] ?? '',
    headers: reader.headers,
    key: reader.read('key', parseKey),
    routingKey: reader.read('routingKey', parseText) ?? type,
    correlationId: reader.read('correlationId', parseText),
    causationId: reader.read('causationId', parseText),
    replyTo: reader.read('replyTo', parseText),
    expiresAt: reader.read('expiresAt', parseTime),
    priority: reader.read('priority', parsePriority),
    notBefore: reader.read('notBefore', parseTime),
    attempt: reader.read('attempt', parseAttempt) ?? 1,
    releases: reader.read('releases', parseCount) ?? 0,
    trials: reader.read('trials', parseCount) ?? 0,
    replays: reader.read('replays', parseCount) ?? 0,
    firstFailedAt: reader.read('firstFailedAt', parseTime),
    lastFailedAt: reader.read('lastFailedAt', parseTime),
    lastError: reader.read('lastError', parseError),
  }
  return { message, invalid: reader.invalid }
}

/** The headers of one message, those of the envelope apart from the user's, and the first problem with them. */
class EnvelopeReader {
  readonly headers: MessageHeaders
  invalid: string | undefined
  private readonly native: NativeFields
  private reserved: Partial<Record<EnvelopeField, string>> | undefined = undefined

  constructor(input: EnvelopeInput) {
    this.native = input.native
    this.headers = this.sort(input.headers ?? {})
  }

  read<Value>(field: EnvelopeField, parse: Parse<Value>): Value | undefined {
    const written = this.reserved?.[field]
    const given = written ?? this.native[field]
    if (given === undefined || given === null) return undefined
    const value = parse(given)
    if (value === undefined) {
      const place = written === undefined ? `native property for ${field}` : `header ${headerNames[field]}`
      this.invalid ??= `The ${place} is ${showValue(given)}; it must be ${wanted.get(parse)!}.`
    }
    return value
  }

  private sort(given: Readonly<Record<string, unknown>>): MessageHeaders {
    let headers: Record<string, string> | undefined
    for (const name of Object.keys(given)) {
      const value = given[name]
      if (value === undefined) continue
      if (isReserved(name)) {
        this.keepReserved(name.toLowerCase(), toText(value))
      } else if (name === '' || unsafeNames.has(name) || controlCharacter.test(name)) {
        this.invalid ??= `A header is called ${showValue(name)}, which is not safe.`
      } else {
        headers ??= Object.create(null) as Record<string, string>
        headers[name] = toText(value)
      }
    }
    return headers === undefined ? noHeaders : Object.freeze(headers)
  }

  private keepReserved(name: string, value: string): void {
    const field = fieldsByHeader.get(name)
    if (field !== undefined) {
      this.reserved ??= {}
      this.reserved[field] = value
    } else if (name === versionHeader && value !== envelopeVersion) {
      this.invalid ??= `The header ${name} is ${showValue(value)}; only version ${envelopeVersion} is known.`
    }
  }
}

const fieldsByHeader: ReadonlyMap<string, EnvelopeField> = new Map(
  (Object.keys(headerNames) as EnvelopeField[]).map((field) => [headerNames[field], field]),
)

function isReserved(name: string): boolean {
  const first = name.charCodeAt(0)
  return (first === 0x70 || first === 0x50) && name.slice(0, 9).toLowerCase() === 'posthorn-'
}

/** Header values of other senders may be anything that their broker knows. */
function toText(value: unknown): string {
  if (typeof value === 'string') return value
  try {
    if (value instanceof Uint8Array) return Buffer.from(value).toString()
    if (typeof value === 'bigint') return String(value)
    return JSON.stringify(value) ?? ''
  } catch {
    return ''
  }
}
