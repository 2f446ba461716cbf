import { PosthornError } from '../errors.ts'
import { showValue } from '../options/show-value.ts'
import type { MessageHeaders } from '../contract/wire-message.ts'

const validName = /^[!-9;-~]{1,200}$/
const reservedName = /^posthorn-/i
const unsafeValue = /[\0\r\n]/

/** Names that could reach a prototype when headers are copied into a plain object. */
export const unsafeNames: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/** What messages without headers share. */
export const noHeaders: MessageHeaders = Object.freeze(Object.create(null) as Record<string, string>)

/**
 * The headers of a message to send as a frozen copy without a prototype. Throws `POSTHORN_INVALID_HEADER`: names are 1 to
 * 200 visible ASCII characters but for the colon, and not reserved; values are strings without NUL, CR and LF.
 */
export function checkHeaders(headers: unknown): MessageHeaders {
  if (headers === undefined || headers === noHeaders) return noHeaders
  if (
    typeof headers !== 'object' ||
    headers === null ||
    Array.isArray(headers) ||
    Symbol.iterator in headers
  ) {
    return refuse(`The headers must be a plain object of strings, but are ${showValue(headers)}`)
  }
  const names = Object.keys(headers)
  if (names.length === 0) return noHeaders
  const copy: Record<string, string> = Object.create(null)
  for (const name of names) {
    const value = (headers as Record<string, unknown>)[name]
    if (value !== undefined) copy[name] = checkHeader(name, value)
  }
  return Object.freeze(copy)
}

function checkHeader(name: string, value: unknown): string {
  if (!validName.test(name)) {
    return refuse(
      `The header name ${showValue(name)} is not 1 to 200 visible ASCII characters without a colon`,
    )
  }
  if (reservedName.test(name))
    return refuse(
      `The header ${showValue(name)} is reserved: choose a name that does not start with posthorn-`,
    )
  if (unsafeNames.has(name))
    return refuse(`A header cannot be called ${showValue(name)}: choose another name`)
  if (typeof value !== 'string') {
    return refuse(
      `The header ${showValue(name)} must be a string, but is ${showValue(value)}: convert it before sending`,
    )
  }
  if (unsafeValue.test(value))
    return refuse(
      `The value of the header ${showValue(name)} contains NUL, CR or LF: encode it, for example with encodeURIComponent`,
    )
  if (/\p{Surrogate}/u.test(value))
    return refuse(
      `The value of the header ${showValue(name)} is cut within a character: it has half of a surrogate pair`,
    )
  return value
}

function refuse(problem: string): never {
  throw new PosthornError('POSTHORN_INVALID_HEADER', `${problem}.`, { phase: 'publish', outcome: 'rejected' })
}
