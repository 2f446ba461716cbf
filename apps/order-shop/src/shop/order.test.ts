import { expect, test } from 'vitest'
import { BadOrder, readOrder, totalOf } from './order.ts'

const good = {
  id: 'ORD-1',
  placedAt: '2026-03-02T06:35:26Z',
  customer: { id: 'C-1', name: 'Åsa Lindqvist', email: 'asa@brev.example' },
  address: { street: 'Storgatan 1', postcode: '903 26', city: 'Umeå', country: 'SE' },
  items: [{ sku: 'INK-BLUE', quantity: 2 }],
  total: 28.7,
  currency: 'EUR',
}

function reasonOf(line: string): string {
  try {
    readOrder(line)
  } catch (error) {
    if (error instanceof BadOrder) return error.reason
    throw error
  }
  return 'accepted'
}

test('reads a good order as it stands', () => {
  const order = readOrder(JSON.stringify({ ...good, note: 'Ring twice' }))

  expect(order).toEqual({ ...good, note: 'Ring twice' })
  expect(totalOf(order)).toBe(2870)
  expect(reasonOf(JSON.stringify({ ...good, payment: 'invoice' }))).toBe('accepted')
})

test('charges no shipping from 50 euros on', () => {
  const items = [{ sku: 'PEN-FOUNTAIN', quantity: 1 }]

  expect(reasonOf(JSON.stringify({ ...good, items, total: 64.5 }))).toBe('accepted')
  expect(reasonOf(JSON.stringify({ ...good, items, total: 69.4 }))).toBe('wrong-total')
})

test.each([
  ['not-json', '{"id":"ORD-1","customer'],
  ['not-json', '<html></html>'],
  ['not-an-order', '[1, 2]'],
  ['not-an-order', 'null'],
  ['missing-field', JSON.stringify({ ...good, customer: { id: 'C-1', name: 'Åsa' } })],
  ['missing-field', JSON.stringify({ ...good, customer: undefined })],
  ['missing-field', JSON.stringify({ ...good, address: { ...good.address, city: ' ' } })],
  ['missing-field', JSON.stringify({ ...good, items: [] })],
  ['missing-field', JSON.stringify({ ...good, items: 'two' })],
  ['missing-field', JSON.stringify({ ...good, total: '28.70' })],
  ['bad-id', JSON.stringify({ ...good, id: '../../etc/passwd' })],
  ['bad-id', JSON.stringify({ ...good, customer: { ...good.customer, id: 'C 1' } })],
  ['unknown-sku', JSON.stringify({ ...good, items: [{ sku: 'QUILL', quantity: 1 }] })],
  ['unknown-sku', JSON.stringify({ ...good, items: [null] })],
  ['bad-quantity', JSON.stringify({ ...good, items: [{ sku: 'INK-BLUE', quantity: 0 }] })],
  ['bad-quantity', JSON.stringify({ ...good, items: [{ sku: 'INK-BLUE', quantity: 1.5 }] })],
  ['huge-quantity', JSON.stringify({ ...good, items: [{ sku: 'INK-BLUE', quantity: 250_000 }] })],
  ['negative-total', JSON.stringify({ ...good, total: -28.7 })],
  ['unknown-payment', JSON.stringify({ ...good, payment: 'promise' })],
  ['wrong-total', JSON.stringify({ ...good, total: 2.87 })],
])('refuses as %s: %s', (reason, line) => {
  expect(reasonOf(line)).toBe(reason)
})
