import { hash } from 'node:crypto'
import type { Clock } from '../contract/clock.ts'

const maxTime = 2 ** 48 - 1
const counterBits = 26
const maxCounter = 2 ** counterBits - 1

/** The character codes of three hexadecimal digits for each number of 12 bits. */
const digits: Uint8Array = Buffer.from(
  Array.from({ length: 0x1000 }, (_, value) => value.toString(16).padStart(3, '0')).join(''),
)

/** Makes ids; `now` is what the clock says, for callers that have asked it already. */
export type CreateId = (now?: number) => string

/**
 * Makes UUIDs of version 7 (RFC 9562): 48 bits of time, 26 of a counter that starts at random in each millisecond, 48
 * random. Those of one factory always rise, also while the clock stands still or goes back.
 */
export function createIdFactory(clock: Clock): CreateId {
  // Written in place: a string put together from parts is larger, and slower when it is used as a key.
  const id = Buffer.from('00000000-0000-7000-8000-000000000000')
  let time = -1
  let counter = maxCounter

  function writeDigits(position: number, value: number): void {
    const at = value * 3
    id[position] = digits[at]!
    id[position + 1] = digits[at + 1]!
    id[position + 2] = digits[at + 2]!
  }

  /** All but the lowest 12 bits of the counter, which changes seldom. */
  function writeHead(): void {
    const timeText = time.toString(16).padStart(12, '0')
    id.write(`${timeText.slice(0, 8)}-${timeText.slice(8)}`)
    writeDigits(15, counter >>> 14)
    id.write('89ab'[(counter >>> 12) & 3]!, 19)
  }

  return (given) => {
    const now = Math.min(Math.floor(given ?? clock.now()), maxTime)
    if (now > time) {
      time = now
      // The other half is left for counting on.
      counter = Math.floor(clock.random() * 2 ** (counterBits - 1))
      writeHead()
    } else {
      counter += 1
      if (counter > maxCounter) {
        time += 1
        counter = 0
      }
      if ((counter & 0xfff) === 0) writeHead()
    }
    const random = clock.random() * 0x100_0000
    const high = random | 0
    const low = ((random - high) * 0x100_0000) | 0
    writeDigits(20, counter & 0xfff)
    writeDigits(24, high >>> 12)
    writeDigits(27, high & 0xfff)
    writeDigits(30, low >>> 12)
    writeDigits(33, low & 0xfff)
    return id.toString('latin1')
  }
}

/** The same UUID (version 8, from SHA-256) for the same parent and parts, in every process. */
export function deriveId(parent: string, ...parts: readonly (string | number)[]): string {
  const digest = hash('sha256', JSON.stringify([parent, ...parts]), 'hex')
  const variant = '89ab'[Number.parseInt(digest[16]!, 16) & 3]!
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-${variant}${digest.slice(17, 20)}-${digest.slice(20, 32)}`
}
