import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Reader } from './reader.ts'
import { TextCache } from './text-cache.ts'

test('each text is read as it is, whatever came before it', () => {
  const texts = fc.array(fc.constantFrom('', 'a', 'b', 'ab', 'ä', 'aä', 'x'.repeat(80), '1.0', '1.1'))
  fc.assert(
    fc.property(texts, (all) => {
      const cache = new TextCache()
      const reader = new Reader(Buffer.from(all.join('')))
      const read = all.map((text, index) => cache.read(reader, Buffer.byteLength(text), index % 2))
      expect(read).toEqual(all)
      expect(reader.left).toBe(0)
    }),
  )
})

test('what is said to be longer than the bytes is a RangeError', () => {
  expect(() => new TextCache().read(new Reader(Buffer.from('a')), 2, 0)).toThrow(RangeError)
})
