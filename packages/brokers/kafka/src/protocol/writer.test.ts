import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Reader } from './reader.ts'
import { Writer } from './writer.ts'

test('numbers come back as they were written', () => {
  const whole = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER })
  fc.assert(
    fc.property(whole, fc.integer(), (long, int) => {
      const writer = new Writer(1)
      writer.int64(long).varint(int).int32(int)
      const reader = new Reader(writer.bytes())
      expect([reader.int64(), reader.varint(), reader.int32(), reader.left]).toEqual([long, int, int, 0])
    }),
  )
})

test('long numbers of variable size come back', () => {
  // Zigzag doubles them.
  const whole = fc.integer({ min: -(2 ** 52), max: 2 ** 52 - 1 })
  fc.assert(
    fc.property(whole, (value) => {
      const writer = new Writer(1)
      writer.varlong(value)
      expect(new Reader(writer.bytes()).varlong()).toBe(value)
    }),
  )
})

test('texts come back, whatever their length takes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 9_000, size: 'max' }), (text) => {
      const writer = new Writer(1)
      writer.varintString(text).nullableString(undefined).varintString('end')
      const reader = new Reader(writer.bytes())
      expect(reader.varintString()).toBe(Buffer.from(text).toString())
      expect(reader.nullableString()).toBeUndefined()
      expect(reader.varintString()).toBe('end')
    }),
    { numRuns: 50 },
  )
})

test('what ends too early is a RangeError', () => {
  expect(() => new Reader(Buffer.from([0, 5, 1])).string()).toThrow(RangeError)
  expect(() => new Reader(Buffer.alloc(0)).int8()).toThrow(RangeError)
})
