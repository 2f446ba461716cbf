import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  maxHeld,
  maxHighs,
  maxListed,
  maxSpan,
  readMetadata,
  writeMetadata,
  type HeldState,
} from './commit-metadata.ts'

const states = fc.record({
  attempt: fc.integer({ min: 1, max: 1_000_000 }),
  releases: fc.nat(1_000),
  trials: fc.nat(1_000),
  firstFailedAt: fc.option(fc.integer({ min: 0, max: 2 ** 43 }), { nil: undefined }),
  lastFailedAt: fc.option(fc.integer({ min: 0, max: 2 ** 43 }), { nil: undefined }),
  notBefore: fc.option(fc.integer({ min: 0, max: 2 ** 43 }), { nil: undefined }),
})

test('what is written comes back, whatever it is', () => {
  const offsets = fc.oneof(
    fc.uniqueArray(fc.nat(500), { maxLength: maxListed }),
    fc.uniqueArray(fc.integer({ min: 0, max: 2 ** 40 }), { maxLength: maxListed }),
  )
  fc.assert(
    fc.property(
      fc.constantFrom(undefined, 'abcde_'),
      fc.nat(2 ** 31),
      fc.array(fc.nat(5_000), { maxLength: 50 }),
      offsets,
      fc.array(fc.tuple(fc.nat(500), states), { maxLength: 20 }),
      (log, watermark, ahead, done, held) => {
        const state = {
          log,
          highs: ahead.map((high) => watermark + high),
          done: done.map((offset) => watermark + offset).toSorted((left, right) => left - right),
          held: new Map(held.map(([offset, one]) => [watermark + offset, one])),
        }
        expect(readMetadata(watermark, writeMetadata(watermark, state))).toEqual(state)
      },
    ),
  )
})

test.each([
  ['close together', maxSpan, 1],
  ['far apart', maxListed, 1e9],
])('the most that is allowed has room, %s', (_, length, step) => {
  const done = Array.from({ length }, (__, index) => 1e9 + index * step)
  const one: HeldState = {
    attempt: 2 ** 31,
    releases: 1_000_000,
    trials: 1_000,
    firstFailedAt: 1.8e12,
    lastFailedAt: 1.8e12,
    notBefore: 1.8e12,
  }
  const held = new Map(Array.from({ length: maxHeld }, (__, index) => [1e9 + maxSpan - index, one]))
  const highs = Array.from({ length: maxHighs }, () => 1e9 + 100_000)
  const text = writeMetadata(1e9, { log: 'abcdef', highs, done, held })
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4_096)
})

test.each(['', 'somebody else wrote this', '1', '1!!!!!!!!!!'])('the text %j says nothing', (text) => {
  expect(readMetadata(7, text)).toEqual({ log: undefined, highs: [], done: [], held: new Map() })
})
