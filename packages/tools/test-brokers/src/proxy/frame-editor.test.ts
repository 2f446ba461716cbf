import { describe, expect, test } from 'vitest'
import { amqpMethods, type AmqpFrame } from './amqp-frame.ts'
import { FrameEditor, type FrameChange } from './frame-editor.ts'

const protocolHeader = Buffer.from('AMQP\0\0\x09\x01', 'latin1')

function frame(type: number, channel: number, payload: Buffer): Buffer {
  const bytes = Buffer.alloc(7 + payload.length + 1, 0xce)
  bytes.writeUInt8(type, 0)
  bytes.writeUInt16BE(channel, 1)
  bytes.writeUInt32BE(payload.length, 3)
  payload.copy(bytes, 7)
  return bytes
}

const ack = frame(1, 3, Buffer.from([0, 60, 0, 80, 0, 0, 0, 0, 0, 0, 0, 1, 0]))
const publish = frame(1, 3, Buffer.from([0, 60, 0, 40, 0, 0]))
const body = frame(3, 3, Buffer.from('body'))
const all = Buffer.concat([protocolHeader, publish, body, ack, publish])

const withoutAcks: FrameChange = ({ method, bytes }) => (method === amqpMethods.basicAck ? undefined : bytes)

describe('FrameEditor', () => {
  test('passes bytes as they come while there is nothing to change', () => {
    const editor = new FrameEditor(7)
    for (const piece of [all.subarray(0, 21), all.subarray(21)])
      expect(editor.push(piece, undefined)).toEqual(piece)
  })

  test('shows each frame whole, and what it is', () => {
    const shown: AmqpFrame[] = []
    const editor = new FrameEditor(7)
    for (const byte of all) {
      editor.push(Buffer.from([byte]), (frame) => {
        shown.push(frame)
        return frame.bytes
      })
    }
    expect(shown.map(({ bytes }) => bytes)).toEqual([protocolHeader, publish, body, ack, publish])
    expect(
      shown.slice(1).map(({ connection, channel, method }) => `${connection} ${channel} ${method}`),
    ).toEqual(['7 3 60.40', '7 3 undefined', '7 3 60.80', '7 3 60.40'])
  })

  test('leaves out and replaces frames, in whatever pieces they come', () => {
    for (const length of [1, 5, 16, all.length]) {
      const editor = new FrameEditor(7)
      const passed: Buffer[] = []
      for (let start = 0; start < all.length; start += length)
        passed.push(editor.push(all.subarray(start, start + length), withoutAcks))
      expect(Buffer.concat(passed)).toEqual(Buffer.concat([protocolHeader, publish, body, publish]))
    }
    const other = frame(3, 3, Buffer.from('another body'))
    expect(new FrameEditor(7).push(all, (one) => (one.bytes[0] === 3 ? other : one.bytes))).toEqual(
      Buffer.concat([protocolHeader, publish, other, ack, publish]),
    )
  })

  test('begins with the next frame, and ends at once', () => {
    const editor = new FrameEditor(7)
    const acks = Buffer.concat([ack, ack, ack])
    expect(editor.push(acks.subarray(0, 10), undefined)).toEqual(ack.subarray(0, 10))
    expect(editor.push(acks.subarray(10, ack.length * 2 + 5), withoutAcks)).toEqual(ack.subarray(10))
    expect(editor.push(acks.subarray(ack.length * 2 + 5), undefined)).toEqual(ack)
  })
})
