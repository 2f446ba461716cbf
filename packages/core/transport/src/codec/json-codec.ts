import { isUtf8 } from 'node:buffer'
import { types } from 'node:util'
import { isPlainJson, maxDepth, toJson } from './check-json.ts'
import { isDeeperThan } from './json-depth.ts'
import { PosthornError } from '../errors.ts'
import { noBody } from '../message/no-body.ts'
import { showValue } from '../options/show-value.ts'
import type { Codec, EncodedBody } from '../contract/codec.ts'

const jsonType = 'application/json'
const bytesType = 'application/octet-stream'

/**
 * JSON for everything, but a `Uint8Array` travels as it is. What JSON would lose or change without a word is refused:
 * `undefined` in an array, functions, symbols, BigInt, circles, NaN, Map, Set, invalid dates, more than 1,000 levels. A
 * field that is `undefined` is left out; `toJSON` is honoured.
 *
 * Decodes `application/json`, `*+json`, `text/plain` and no type at all as JSON, and gives the bytes of any other type. A
 * field named `__proto__` becomes a plain field of its own, as `JSON.parse` makes it: copy such data with a spread, never
 * with a merge that sets fields.
 */
export const jsonCodec: Codec = {
  encode(data) {
    if (types.isUint8Array(data)) return encodeBytes(data)
    const plain = isPlainJson(data, 0) ? data : toJson(data)
    return { body: Buffer.from(JSON.stringify(plain)), contentType: jsonType }
  },
  decode(body, contentType) {
    if (contentType === bytesType) return body
    return contentType === jsonType || isJsonType(contentType) ? decodeJson(body, contentType) : body
  },
}

/** Bytes only: whatever the content type is, the handler gets the bytes. */
export const rawCodec: Codec = {
  encode(data) {
    if (types.isUint8Array(data)) return encodeBytes(data)
    throw new PosthornError(
      'POSTHORN_INVALID_DATA',
      `The raw codec sends bytes, but the data is ${showValue(data)}. Give a Uint8Array, or use the JSON codec.`,
      { phase: 'publish', outcome: 'rejected' },
    )
  },
  decode(body) {
    return body
  },
}

/** A copy: what the sender does to its bytes afterwards must not change the message. */
function encodeBytes(data: Uint8Array): EncodedBody {
  return { body: Buffer.from(data), contentType: bytesType }
}

function isJsonType(contentType: string): boolean {
  const mediaType = contentType.split(';', 1)[0]!.trim().toLowerCase()
  return (
    mediaType === '' || mediaType === jsonType || mediaType === 'text/plain' || mediaType.endsWith('+json')
  )
}

function decodeJson(body: Uint8Array, contentType: string): unknown {
  if (body === noBody) return null
  if (body.length === 0) return refuse(body, contentType, 'is empty')
  const buffer = Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  let json = buffer.toString()
  // Decoding puts U+FFFD in place of what is broken; it may also have been there.
  if (json.includes('\ufffd') && !isUtf8(body)) return refuse(body, contentType, 'is not valid UTF-8')
  if (json.charCodeAt(0) === 0xfeff) json = json.slice(1)
  if (isDeeperThan(json, maxDepth)) return refuse(body, contentType, `is nested more than ${maxDepth} deep`)
  try {
    return JSON.parse(json)
  } catch (error) {
    // The platform's message quotes the body, which may be confidential.
    const position = / position (\d+)/.exec(String(error))?.[1]
    return refuse(
      body,
      contentType,
      `is not valid JSON${position === undefined ? '' : ` (character ${position})`}`,
    )
  }
}

function refuse(body: Uint8Array, contentType: string, problem: string): never {
  throw new PosthornError(
    'POSTHORN_UNDECODABLE',
    `The body (${body.length} bytes, content type ${showValue(contentType)}) ${problem}. ` +
      'Correct its sender, or read it with the raw codec.',
    { phase: 'receive' },
  )
}
