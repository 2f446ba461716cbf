import { expect, test } from 'vitest'
import { crc32c } from './crc32c.ts'

// From RFC 3720, B.4.
test.each([
  ['32 bytes of zero', Buffer.alloc(32), 0x8a9136aa],
  ['32 bytes of ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
  ['the digits', Buffer.from('123456789'), 0xe3069283],
])('the checksum of %s is the known one', (_, bytes, checksum) => {
  expect(crc32c(bytes, 0, bytes.length) >>> 0).toBe(checksum)
})

test('only what is between start and end counts', () => {
  expect(crc32c(Buffer.from('xx123456789x'), 2, 11) >>> 0).toBe(0xe3069283)
})
