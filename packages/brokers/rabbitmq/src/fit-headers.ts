import { toWire } from './to-wire.ts'
import type { Outgoing } from './publish-batch.ts'

/** Bytes of the buffer in which amqplib encodes headers. */
const encodingBytes = 64 * 1024

/** Bytes for the properties beside the headers: six short strings, and some numbers. */
const propertyBytes = 2 * 1024

/** Bytes that the headers of one message may take, all of them together, on a connection with frames of this size. */
export function headerRoom(frameMax: number): number {
  return Math.min(encodingBytes, frameMax - propertyBytes)
}

/**
 * The copy of a message with headers that fit into `room`. Others may send as much as fits, and a copy carries more than its
 * original: without this it could never be written, and the original would stay for ever. The largest of the user's headers are
 * left out first, each with a note in its place.
 */
export function fitHeaders(copy: Outgoing, namespace: string, room: number): Outgoing {
  const { message } = copy
  const names = Object.keys(message.headers)
  if (names.length === 0) return copy
  let excess = tableBytes(toWire(message, namespace, copy.headers).headers ?? {}) - room
  if (excess <= 0) return copy
  const headers = { ...message.headers }
  const bytesOf = (name: string): number => Buffer.byteLength(headers[name]!)
  for (const name of names.toSorted((one, other) => bytesOf(other) - bytesOf(one))) {
    if (excess <= 0) break
    const note = `(left out: ${bytesOf(name)} bytes, which do not fit into a copy)`
    if (bytesOf(name) <= note.length) break
    excess -= bytesOf(name) - note.length
    headers[name] = note
  }
  return { ...copy, message: { ...message, headers } }
}

/** As AMQP encodes them: a length, and for each name and text theirs, and the text's kind. */
function tableBytes(table: Readonly<Record<string, string>>): number {
  let bytes = 4
  for (const name in table) bytes += 6 + Buffer.byteLength(name) + Buffer.byteLength(table[name]!)
  return bytes
}
