import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { writeAtOnce, type WritingLink } from './write-at-once.ts'
import type { ChannelModel } from 'amqplib'

function setUp(): { readonly calls: string[]; readonly written: () => void; readonly channel: PassThrough } {
  const calls: string[] = []
  const channel = new PassThrough({ objectMode: true })
  const muxer = {
    _readIncoming: () => {
      for (let frame: unknown = channel.read(); frame !== null; frame = channel.read())
        calls.push(frame as string)
    },
  }
  const link: WritingLink = {
    model: { connection: { muxer } as unknown as ChannelModel['connection'] },
    socket: { cork: () => void calls.push('cork'), uncork: () => void calls.push('uncork') },
  }
  return { calls, written: writeAtOnce(link), channel }
}

const thisTurn = (): Promise<void> =>
  new Promise((resolve) => process.nextTick(() => process.nextTick(() => process.nextTick(resolve))))

test('what is given to channels leaves together, in the same turn', async () => {
  const { calls, written, channel } = setUp()
  channel.write('one')
  written()
  channel.write('two')
  written()
  expect(calls).toEqual([])
  await thisTurn()
  expect(calls).toEqual(['cork', 'one', 'two', 'uncork'])
})

test('what is given later leaves later', async () => {
  const { calls, written, channel } = setUp()
  channel.write('one')
  written()
  await thisTurn()
  channel.write('two')
  written()
  await thisTurn()
  expect(calls).toEqual(['cork', 'one', 'uncork', 'cork', 'two', 'uncork'])
})

test('an amqplib that is made otherwise writes by itself', async () => {
  const calls: string[] = []
  const socket = { cork: () => void calls.push('cork'), uncork: () => void calls.push('uncork') }
  writeAtOnce({ model: { connection: {} as ChannelModel['connection'] }, socket })()
  await thisTurn()
  expect(calls).toEqual([])
})
