import { Reader } from './protocol/reader.ts'
import { Writer } from './protocol/writer.ts'

/** Characters that tell one log from another: so much of its topic's id. */
const logLength = 6
const noLog = '-'.repeat(logLength)

/** Kafka takes 4,096 bytes; base64 makes four of three, and some are for the version and the log. */
const maxBytes = Math.floor(((4_096 - 1 - logLength) / 4) * 3)

/**
 * Offsets that are done are a bitmap, which spans so many at most, or a list of so many at most, however far apart they are;
 * beside them there is room for the state of so many messages that are held, and for so many crashes.
 */
export const maxSpan = 8_000
export const maxListed = 200
export const maxHeld = 50
export const maxHighs = 50

/** What is recorded of a message that is held: what a crash must not forget. */
export interface HeldState {
  readonly attempt: number
  readonly releases: number
  readonly trials: number
  /** Epoch milliseconds. */
  readonly firstFailedAt: number | undefined
  readonly lastFailedAt: number | undefined
  readonly notBefore: number | undefined
}

/** What is kept with the position of a partition. Offsets are absolute. */
export interface CommitState {
  /** Which log it is a position in, as `logOf` has it; nothing where that is not known. */
  readonly log: string | undefined
  /** Each time that handing out was begun and did not end in order: below which offset something may have been handed out. */
  readonly highs: readonly number[]
  /** What is done at or above the position, in any order. */
  readonly done: readonly number[]
  readonly held: ReadonlyMap<number, HeldState>
}

const version = '1'
const noHeld: ReadonlyMap<number, HeldState> = new Map()

/** By what a position tells which topic it is of: one that was made anew has the same name, and another id. */
export function logOf(topicId: string | undefined): string | undefined {
  return topicId?.slice(0, logLength)
}

/** As text for the commit of `watermark`. Throws a `RangeError` where there is no room. */
export function writeMetadata(watermark: number, { log, highs, done, held }: CommitState): string {
  const writer = new Writer(64)
  writer.varint(highs.length)
  for (const high of highs) writer.varlong(high - watermark)
  writer.varint(held.size)
  for (const [offset, state] of held) {
    writer
      .varlong(offset - watermark)
      .varlong(state.attempt)
      .varlong(state.releases)
      .varlong(state.trials)
    for (const time of [state.firstFailedAt, state.lastFailedAt, state.notBefore]) writer.varlong(time ?? -1)
  }
  writeDone(writer, watermark, done)
  const bytes = writer.bytes()
  if (bytes.length > maxBytes)
    throw new RangeError(`${bytes.length} bytes of state are more than ${maxBytes}`)
  return version + (log ?? noLog) + bytes.toString('base64url')
}

/** What is not ours, or cannot be read, says nothing. */
export function readMetadata(watermark: number, text: string): CommitState {
  const nothing: CommitState = { log: undefined, highs: [], done: [], held: noHeld }
  if (!text.startsWith(version)) return nothing
  try {
    const log = text.slice(1, 1 + logLength)
    const reader = new Reader(Buffer.from(text.slice(1 + logLength), 'base64url'))
    const highs: number[] = []
    for (let count = reader.varint(); count > 0; count--) highs.push(watermark + reader.varlong())
    const held = new Map<number, HeldState>()
    for (let count = reader.varint(); count > 0; count--) {
      const offset = watermark + reader.varlong()
      const [attempt, releases, trials] = [reader.varlong(), reader.varlong(), reader.varlong()]
      const [firstFailedAt, lastFailedAt, notBefore] = [time(reader), time(reader), time(reader)]
      held.set(offset, { attempt, releases, trials, firstFailedAt, lastFailedAt, notBefore })
    }
    const done = readDone(reader, watermark)
    return { log: log === noLog ? undefined : log, highs, done, held }
  } catch {
    return nothing
  }
}

function time(reader: Reader): number | undefined {
  const value = reader.varlong()
  return value < 0 ? undefined : value
}

/** As a list where that may be, and is the shorter one; else the bitmap is all that is left. */
function writeDone(writer: Writer, watermark: number, done: readonly number[]): void {
  const sorted = done.toSorted((left, right) => left - right)
  const span = (sorted.at(-1) ?? watermark) - watermark
  const isListed = sorted.length <= maxListed && sorted.length * 2 < span / 8
  writer.varint(isListed ? sorted.length : -1)
  if (!isListed) return void writer.raw(bitmapOf(watermark, sorted))
  let last = watermark
  for (const offset of sorted) {
    writer.varlong(offset - last)
    last = offset
  }
}

function readDone(reader: Reader, watermark: number): number[] {
  const count = reader.varint()
  if (count < 0) return offsetsIn(watermark, reader.raw(reader.left))
  const offsets: number[] = []
  let last = watermark
  for (let index = 0; index < count; index++) offsets.push((last += reader.varlong()))
  return offsets
}

/** Of offsets in order. */
function bitmapOf(watermark: number, done: readonly number[]): Uint8Array {
  if (done.length === 0) return new Uint8Array(0)
  const bitmap = new Uint8Array(((done.at(-1)! - watermark) >> 3) + 1)
  for (const offset of done) bitmap[(offset - watermark) >> 3]! |= 1 << ((offset - watermark) & 7)
  return bitmap
}

function offsetsIn(watermark: number, bitmap: Uint8Array): number[] {
  const offsets: number[] = []
  for (let index = 0; index < bitmap.length * 8; index++) {
    if (bitmap[index >> 3]! & (1 << (index & 7))) offsets.push(watermark + index)
  }
  return offsets
}
