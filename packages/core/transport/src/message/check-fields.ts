import { PosthornError } from '../errors.ts'
import { nearestName } from '../options/nearest-name.ts'
import { showValue } from '../options/show-value.ts'

const validId = /^[!-~]{1,128}$/
/** Control characters, and halves of surrogate pairs. */
const unsafeCharacter = /[\p{Cc}\p{Surrogate}]/u
const inboxAddress = /^inbox\/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const maxBytes = 255
const maxKeyLength = 255
/** The last moment that a `Date` can be. */
const maxTime = 8_640_000_000_000_000

export function checkId(id: unknown): string {
  if (typeof id === 'string' && validId.test(id)) return id
  return refuseField('id', id, 'must be 1 to 128 visible ASCII characters')
}

/** Short text that brokers keep in native properties. */
export function checkText(field: string, value: unknown, minLength: number): string {
  if (
    typeof value === 'string' &&
    value.length >= minLength &&
    // Each character takes three bytes at most.
    (value.length * 3 <= maxBytes || Buffer.byteLength(value) <= maxBytes) &&
    !unsafeCharacter.test(value)
  ) {
    return value
  }
  return refuseField(
    field,
    value,
    `must be text of ${minLength} to ${maxBytes} bytes without control characters`,
  )
}

export function checkKey(key: unknown): string {
  if (typeof key === 'string' && key.length > 0 && key.length <= maxKeyLength && !unsafeCharacter.test(key)) {
    return key
  }
  return refuseField('key', key, `must be text of 1 to ${maxKeyLength} characters without control characters`)
}

export function checkReplyTo(replyTo: unknown): string {
  if (typeof replyTo === 'string' && inboxAddress.test(replyTo)) return replyTo
  return refuseField('replyTo', replyTo, 'must be the `address` of an inbox')
}

export function checkPriority(priority: unknown): void {
  if (Number.isInteger(priority) && (priority as number) >= 0 && (priority as number) <= 9) return
  refuseField('priority', priority, 'must be a whole number from 0 (lowest) to 9')
}

/** Epoch milliseconds, whole ones. */
export function checkTime(field: string, time: unknown): number {
  const epochMs = time instanceof Date ? time.getTime() : time
  if (typeof epochMs === 'number' && epochMs >= 0 && epochMs <= maxTime) return Math.floor(epochMs)
  return refuseField(field, time, 'must be a valid Date, or milliseconds since 1970')
}

export function refuseField(field: string, value: unknown, wanted: string): never {
  const what = field === 'message' ? 'The message' : `The message's ${field}`
  throw new PosthornError('POSTHORN_INVALID_MESSAGE', `${what} ${wanted}, but is ${showValue(value)}.`, {
    phase: 'publish',
    outcome: 'rejected',
  })
}

export function refuseUnknownField(name: string, known: readonly string[]): never {
  const near = nearestName(name, known)
  throw new PosthornError(
    'POSTHORN_INVALID_MESSAGE',
    `A message has no field ${showValue(name)}.${near === undefined ? '' : ` Did you mean "${near}"?`} ` +
      `Its fields: ${known.join(', ')}. Put what is your own into the data or the headers.`,
    { phase: 'publish', outcome: 'rejected' },
  )
}
