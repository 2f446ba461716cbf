import { describe, expect, test } from 'vitest'
import { makeWire } from '../../test/make-run.ts'
import { receivedMessage, receivedType } from './received-message.ts'

describe('receivedMessage', () => {
  test('shares nothing that can be changed with what the broker keeps', () => {
    const headers = Object.assign(Object.create(null) as Record<string, string>, { trace: 'a' })
    const body = Buffer.from([1, 2, 3])
    const wire = makeWire({ body, headers })
    const message = receivedMessage(wire, body, 'orders')
    expect(message.data).toEqual(Uint8Array.of(1, 2, 3))
    ;(message.data as Uint8Array).fill(9)
    ;(message.headers as Record<string, string>)['trace'] = 'b'
    expect([...body]).toEqual([1, 2, 3])
    expect(wire.headers['trace']).toBe('a')
    const part = receivedMessage(wire, body.subarray(1), 'orders').data as Uint8Array
    part.fill(9)
    expect([...body]).toEqual([1, 2, 3])
  })

  test('gives headers no prototype, not even an empty set of them', () => {
    const headers = JSON.parse('{"__proto__":"x","a":"b"}') as Record<string, string>
    for (const given of [headers, {}]) {
      const message = receivedMessage(makeWire({ headers: given }), 1, 'orders')
      expect(Object.getPrototypeOf(message.headers)).toBeNull()
      expect(Object.keys(message.headers)).toEqual(Object.keys(given))
    }
  })
})

test.each([
  ['order.created', 'order.#', 'order.created'],
  ['', 'order.created', 'order.created'],
  ['', '', 'events/billing'],
])('the type %o routed by %o is %o', (type, routingKey, expected) => {
  const wire = makeWire({ type, routingKey })
  expect(receivedType(wire, 'events/billing')).toBe(expected)
  expect(receivedMessage(wire, 1, 'events/billing').routingKey).toBe(
    routingKey === '' ? expected : routingKey,
  )
})
