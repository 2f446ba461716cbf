import { describe, expect, test } from 'vitest'
import { wireMessage } from '../test/wire-message.ts'
import { fitHeaders, headerRoom } from './fit-headers.ts'
import { toWire } from './to-wire.ts'
import type { Outgoing } from './publish-batch.ts'
import type { MessageHeaders } from '@posthorn/transport/driver'

const copyOf = (headers: MessageHeaders, own?: Record<string, string>): Outgoing => ({
  routingKey: 'orders',
  message: wireMessage({ headers }),
  ...(own === undefined ? {} : { headers: own }),
})

/** What AMQP makes of them. */
function encodedBytes({ message: wire, headers: own }: Outgoing): number {
  const table = toWire(wire, '', own).headers as Record<string, string>
  return Object.entries(table).reduce((bytes, entry) => bytes + 6 + Buffer.byteLength(entry.join('')), 4)
}

describe('fitHeaders', () => {
  test.each([[{}], [{ tenant: 'a' }], [{ large: 'x'.repeat(60_000) }]])(
    'leaves alone what fits',
    (headers) => {
      const copy = copyOf(headers)
      expect(fitHeaders(copy, '', headerRoom(131_072))).toBe(copy)
    },
  )

  test('leaves out the largest headers, and as few as need be', () => {
    const headers = {
      small: 's',
      large: 'l'.repeat(30_000),
      larger: 'é'.repeat(17_000),
      tenant: 'a'.repeat(900),
    }
    const copy = copyOf(headers, { record: 'r'.repeat(4_000) })
    const fitted = fitHeaders(copy, '', 65_536)
    expect(fitted.message.headers).toEqual({
      ...headers,
      larger: '(left out: 34000 bytes, which do not fit into a copy)',
    })
    expect([fitted.headers, fitted.routingKey]).toEqual([copy.headers, 'orders'])
  })

  test.each([1, 10, 1_000])('makes what has %d headers fit to the byte', (count) => {
    const value = 'v'.repeat(Math.floor(100_000 / count))
    const copy = copyOf(Object.fromEntries(Array.from({ length: count }, (_, index) => [`h${index}`, value])))
    for (const room of [65_536, encodedBytes(copy) - 1]) {
      const fitted = fitHeaders(copy, '', room)
      expect(encodedBytes(fitted)).toBeLessThanOrEqual(room)
      expect(Object.keys(fitted.message.headers)).toEqual(Object.keys(copy.message.headers))
    }
  })

  test('changes nothing of the original', () => {
    const copy = copyOf({ large: 'x'.repeat(70_000) })
    fitHeaders(copy, '', 65_536)
    expect(copy.message.headers['large']).toHaveLength(70_000)
  })
})

test.each([
  [131_072, 65_536],
  [16_384, 14_336],
  [0xffffffff, 65_536],
])('frames of %d bytes have room for headers of %d', (frameMax, room) => {
  expect(headerRoom(frameMax)).toBe(room)
})
