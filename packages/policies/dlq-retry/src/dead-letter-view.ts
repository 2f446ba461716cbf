import { isUtf8 } from 'node:buffer'
import type { DeadLetter } from '@posthorn/transport'

/** A dead letter with its body as far as it can be read. */
export interface DeadLetterView extends DeadLetter {
  /** What JSON holds, else text, else `undefined`; `body` has the bytes in any case. */
  readonly data: unknown
}

/** Never throws. */
export function viewOf(entry: DeadLetter): DeadLetterView {
  return { ...entry, data: read(entry.body) }
}

function read(body: Uint8Array): unknown {
  if (!isUtf8(body)) return undefined
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString()
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}
