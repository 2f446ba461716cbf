import { describe, expect, test } from 'vitest'
import type { Expected } from './expected.ts'
import { isClean, judge } from './judge.ts'
import type { Effects } from './read-effects.ts'
import { catalogue } from '../shop/catalogue.ts'
import { imageWidths } from '../shop/messages.ts'
import type { Order } from '../shop/order.ts'

function order(id: string, customerId: string): Order {
  return {
    id,
    placedAt: '2026-03-02T06:35:26Z',
    customer: { id: customerId, name: 'A', email: 'a@mail.example' },
    address: { street: 'S', postcode: 'P', city: 'C', country: 'GB' },
    items: [{ sku: 'INK-BLUE', quantity: 2 }],
    total: 28.7,
    currency: 'EUR',
  }
}

const badLine = '{"id":"ORD-9","total":-1}'
const expected: Expected = {
  orders: [order('ORD-1', 'C-1'), order('ORD-2', 'C-1'), order('ORD-3', 'C-2')],
  bad: [{ line: badLine, orderId: 'ORD-9' }],
  cents: 8610,
}
const ids = ['ORD-1', 'ORD-2', 'ORD-3']
const explanation = {
  source: 'incoming-orders',
  id: 'line-9',
  attempts: 1,
  reason: 'negative-total',
  error: 'BadOrder: no',
  body: badLine,
}

/** Everything as it should be. */
const good: Effects = {
  charges: ids,
  reservations: ids,
  sales: ids,
  emails: ids,
  images: new Set(catalogue.flatMap(({ sku }) => imageWidths.map((width) => `${sku}-${width}.jpg`))),
  reports: new Set(['customers.csv', 'products.json', 'days.txt']),
  reportedCents: 8610,
  deadLetters: [explanation],
  replayed: [],
  ledger: expected.orders.map(({ id, customer }) => ({
    effect: 'reservation',
    orderId: id,
    customerId: customer.id,
  })),
}

test('finds nothing wrong where everything was done once, in order, or explained', () => {
  expect(isClean(judge(expected, good))).toBe(true)
})

describe('is not clean when', () => {
  test.each<[string, Partial<Effects>, object]>([
    ['a charge is missing', { charges: ['ORD-1', 'ORD-3'] }, { notCharged: ['ORD-2'], lost: ['ORD-2'] }],
    [
      'a reservation is missing',
      { reservations: ['ORD-1', 'ORD-3'] },
      { notReserved: ['ORD-2'], lost: ['ORD-2'] },
    ],
    ['a sale is missing', { sales: ['ORD-2', 'ORD-3'] }, { notRecorded: ['ORD-1'], lost: ['ORD-1'] }],
    ['an e-mail is missing', { emails: ['ORD-1', 'ORD-2'] }, { emailsMissing: ['ORD-3'], lost: ['ORD-3'] }],
    ['an order is charged twice', { charges: [...ids, 'ORD-1', 'ORD-1'] }, { chargedTwice: ['ORD-1'] }],
    ['goods are reserved twice', { reservations: [...ids, 'ORD-1'] }, { reservedTwice: ['ORD-1'] }],
    ['a sale is in the book twice', { sales: [...ids, 'ORD-1'] }, { recordedTwice: ['ORD-1'] }],
    ['an e-mail is sent twice', { emails: [...ids, 'ORD-3'] }, { emailsTwice: ['ORD-3'] }],
    ['a bad order has no dead letter', { deadLetters: [] }, { badUnexplained: 1 }],
    ['a bad order is charged', { charges: [...ids, 'ORD-9'] }, { badCharged: ['ORD-9'] }],
    [
      'a dead letter has no error',
      { deadLetters: [explanation, { ...explanation, source: 'tasks', error: '' }] },
      { deadLettersUnexplained: 1 },
    ],
    [
      'a picture is missing',
      { images: new Set([...good.images].slice(1)) },
      { tasksLost: ['HORN-BRASS-120.jpg'] },
    ],
    [
      'a report is missing',
      { reports: new Set(['days.txt', 'products.json']) },
      { tasksLost: ['customers.csv'] },
    ],
    ['the report does not add up', { reportedCents: 8000 }, { reportOffBy: -610 }],
    ['there is no report to add up', { reportedCents: undefined }, { reportOffBy: undefined }],
    [
      'goods are reserved in another order than a customer ordered them',
      { ledger: [...good.ledger.slice(1), ...good.ledger.slice(0, 1)] },
      { outOfOrder: 1 },
    ],
  ])('%s', (_, wrong, found) => {
    const verdict = judge(expected, { ...good, ...wrong })

    expect(verdict).toMatchObject(found)
    expect(isClean(verdict)).toBe(false)
  })
})

test('takes a dead letter with reason and error as the explanation of what its source has not done', () => {
  const done = ['ORD-1', 'ORD-2']
  const body = '{"orderId":"ORD-3"}'
  const letter = { source: 'tasks', id: 'email-3', attempts: 5, reason: 'attempts-exhausted', body }
  const explained = [explanation, { ...letter, error: 'Error: 550' }]

  expect(isClean(judge(expected, { ...good, emails: done, deadLetters: explained }))).toBe(true)
  expect(
    judge(expected, { ...good, emails: done, deadLetters: [explanation, letter] }).emailsMissing,
  ).toEqual(['ORD-3'])
  expect(judge(expected, { ...good, charges: done, deadLetters: explained }).notCharged).toEqual(['ORD-3'])
})

test('takes the dead letter of a payment as the explanation of a sale that is not in the report', () => {
  const done = ['ORD-1', 'ORD-2']
  const letter = { ...explanation, source: 'orders/payment', body: '{"id":"ORD-3"}' }
  const explained = [explanation, letter]
  const effects = { ...good, charges: done, sales: done, reportedCents: 5740 }

  expect(isClean(judge(expected, { ...effects, deadLetters: explained }))).toBe(true)
  expect(judge(expected, effects)).toMatchObject({ notRecorded: ['ORD-3'], reportOffBy: -2870 })
})

test('wants a dead letter for each of two bad lines that are the same', () => {
  const twice = { ...expected, bad: [...expected.bad, ...expected.bad] }

  expect(judge(twice, good).badUnexplained).toBe(1)
  expect(judge(twice, { ...good, deadLetters: [explanation, explanation] }).badUnexplained).toBe(0)
})

test('does not take the orders of different customers, or a doubled effect, for disorder', () => {
  const [first, second, third] = good.ledger
  const ledger = [third, first, second, first].flatMap((line) => (line === undefined ? [] : [line]))

  expect(judge(expected, { ...good, ledger }).outOfOrder).toBe(0)
})

test('counts how often one and the same call was refused', () => {
  const refusal = { effect: 'refusal', by: 'mail', subject: 'ORD-1' }
  const ledger = [refusal, refusal, { ...refusal, by: 'payment' }, refusal]

  expect(judge(expected, { ...good, ledger }).mostRefusals).toBe(3)
})

test('does not ask for the order of what was replayed', () => {
  const ledger = [...good.ledger.slice(1), ...good.ledger.slice(0, 1)]

  expect(judge(expected, { ...good, ledger, replayed: ['{"orderId":"ORD-1"}'] }).outOfOrder).toBe(0)
})

test('does not ask for the order of payments, which may wait for their provider', () => {
  const ledger = good.ledger.map((line) => ({ ...line, effect: 'charge' })).toReversed()

  expect(judge(expected, { ...good, ledger }).outOfOrder).toBe(0)
})

test('counts the calls to a payment provider that is down, and what was recognised as a repetition', () => {
  const down = {
    effect: 'refusal',
    by: 'payment',
    subject: 'ORD-1',
    error: 'Error: 503 The provider is down',
  }
  const busy = { ...down, error: 'Error: 503 The provider does not answer' }
  const ledger = [down, busy, down, { effect: 'repetition', of: 'charge', orderId: 'ORD-1' }]

  expect(judge(expected, { ...good, ledger })).toMatchObject({ callsWhileDown: 2, repetitions: 1 })
})
