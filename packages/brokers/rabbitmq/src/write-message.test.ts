import { expect, test } from 'vitest'
import { writeMessage } from './write-message.ts'
import type { WireProperties } from './to-wire.ts'
import type { ConfirmChannel } from 'amqplib'

const address = { exchange: '', routingKey: 'orders', mandatory: true }
const properties = { headers: { 'posthorn-version': '1' } } as unknown as WireProperties
const body = Buffer.from('{}')

test('the callback is for the message that was written with it', () => {
  const calls: unknown[] = []
  const channel = {
    sendMessage: (...given: unknown[]) => calls.push(given) > 1,
    pushConfirmCallback: (callback: unknown) => calls.push(callback),
  } as unknown as ConfirmChannel
  const confirmed = (): void => undefined
  expect(writeMessage(channel, address, properties, body, confirmed)).toBe(false)
  expect(calls).toEqual([[address, properties, body], confirmed])
})

test('what cannot be written leaves no callback behind', () => {
  let callbacks = 0
  const channel = {
    sendMessage: () => {
      throw new TypeError('not a string')
    },
    pushConfirmCallback: () => (callbacks += 1),
  } as unknown as ConfirmChannel
  expect(() => writeMessage(channel, address, properties, body, () => undefined)).toThrow('not a string')
  expect(callbacks).toBe(0)
})

test('an amqplib that is made otherwise is asked to publish', () => {
  const calls: unknown[] = []
  const channel = { publish: (...given: unknown[]) => calls.push(given) > 1 } as unknown as ConfirmChannel
  const confirmed = (): void => undefined
  expect(writeMessage(channel, address, properties, body, confirmed)).toBe(false)
  expect(calls).toEqual([['', 'orders', body, { ...properties, mandatory: true }, confirmed]])
})
