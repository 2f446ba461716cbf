import { expect, test } from 'vitest'
import { murmur2, partitionOfKey } from './murmur2.ts'

// From Kafka's own UtilsTest.
test.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])('hashes %j as Java does', (key, hash) => {
  expect(murmur2(Buffer.from(key))).toBe(hash)
})

test('a partition is never negative', () => {
  expect(partitionOfKey(Buffer.from('foobar'), 4)).toBe((-790332482 & 0x7fffffff) % 4)
})
