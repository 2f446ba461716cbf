import type { Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { seededRandom } from '../seeded-random.ts'
import { Link, type LinkControl, type LinkShape } from './link.ts'

/** The pieces in which a link with this shape writes 200 bytes. */
async function carry(shape: LinkShape, seed = 1): Promise<Buffer[]> {
  const source = new PassThrough()
  const destination = new PassThrough()
  const written: Buffer[] = []
  const write = destination.write.bind(destination) as (bytes: Buffer) => boolean
  destination.write = (bytes: Buffer): boolean => {
    written.push(bytes)
    return write(bytes)
  }
  destination.resume()
  const control: LinkControl = {
    direction: 'toServer',
    random: seededRandom(seed),
    shape,
    hold: undefined,
    change: undefined,
    admit: () => undefined,
    cut: () => undefined,
  }
  new Link(source as unknown as Socket, destination as unknown as Socket, control, undefined)
  source.end(Buffer.from(Array.from({ length: 200 }, (_, index) => index)))
  await new Promise((resolve) => destination.on('end', resolve))
  return written
}

const lengths = (pieces: readonly Buffer[]): number[] => pieces.map((piece) => piece.length)
const all = Buffer.from(Array.from({ length: 200 }, (_, index) => index))

test('passes bytes as they come', async () => {
  expect(lengths(await carry({}))).toEqual([200])
})

test('slices into one to three bytes, the same ones for the same seed', async () => {
  const pieces = await carry({ slice: true })
  expect(Buffer.concat(pieces)).toEqual(all)
  expect(new Set(lengths(pieces))).toEqual(new Set([1, 2, 3]))
  expect(lengths(await carry({ slice: true }))).toEqual(lengths(pieces))
  expect(lengths(await carry({ slice: true }, 2))).not.toEqual(lengths(pieces))
})

test('spreads bytes over time under a bandwidth', async () => {
  const pieces = await carry({ bytesPerSecond: 4000, delayMs: 5 })
  expect(lengths(pieces)).toEqual([80, 80, 40])
  expect(Buffer.concat(pieces)).toEqual(all)
})
