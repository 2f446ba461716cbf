import { describe, expect, test } from 'vitest'
import { AmqpFrameCounter } from './amqp-frame-counter.ts'

const protocolHeader = Buffer.from('AMQP\0\0\x09\x01', 'latin1')

function frame(type: number, payload: string): Buffer {
  const header = Buffer.alloc(7)
  header.writeUInt8(type, 0)
  header.writeUInt16BE(1, 1)
  header.writeUInt32BE(payload.length, 3)
  return Buffer.concat([header, Buffer.from(payload), Buffer.from([0xce])])
}

describe('AmqpFrameCounter', () => {
  test('finds the end of each frame, but not of the protocol header', () => {
    const bytes = Buffer.concat([protocolHeader, frame(1, 'method'), frame(3, '')])
    expect(new AmqpFrameCounter().push(bytes)).toEqual([8 + 14, 8 + 14 + 8])
  })

  test('finds the same frames when bytes come one by one', () => {
    const counter = new AmqpFrameCounter()
    const bytes = Buffer.concat([protocolHeader, frame(1, 'AAAA'), frame(2, 'header'), frame(3, 'body')])
    const ends = [...bytes].flatMap((byte, index) =>
      counter.push(Buffer.from([byte])).map((end) => index + end),
    )
    expect(ends).toEqual([20, 34, 46])
  })

  test('passes over heartbeats', () => {
    const bytes = Buffer.concat([frame(8, ''), frame(1, 'x'), frame(8, '')])
    expect(new AmqpFrameCounter().push(bytes)).toEqual([8 + 9])
  })

  test('says so when the bytes are no frames', () => {
    const bytes = frame(1, 'method')
    bytes[bytes.length - 1] = 0
    expect(() => new AmqpFrameCounter().push(bytes)).toThrow('A frame ends with 0, not 206')
  })
})
