import { expect, test } from 'vitest'
import { goalLine } from '../goal.ts'
import { policyCosts } from './policy-costs.ts'
import { recordRates } from './record-rates.ts'

const seconds = (...processor: readonly number[]) =>
  processor.map((time) => ({ wall: 2 * time, processor: time }))

test('a policy costs the median of what it added in each round, so that a slower machine does not count', () => {
  const { rows, goals } = policyCosts(1_000_000, {
    none: seconds(2, 4, 2),
    metrics: seconds(2.4, 4.4, 9),
    retry: seconds(2.6, 4.6, 2.6),
    breaker: seconds(2, 4, 2),
    idempotency: seconds(4.5, 6.5, 4.5),
    chain: seconds(9, 11.5, 9.5),
  })
  expect(goals.map(goalLine)).toEqual([
    'middleware.metrics 0.40us <=1.00us ok',
    'middleware.retry 0.60us <=0.50us short',
    'middleware.breaker 0.00us <=3.00us ok',
    'middleware.idempotency 2.50us <=3.00us ok',
    'middleware.chain 7.50us <=7.50us ok',
  ])
  expect(rows.slice(0, 2)).toEqual([
    ['no middleware', '2.00 us', '', '', '3'],
    ['metrics', '4.40 us', '0.40 us', '', '3'],
  ])
})

test('records count on the wall, beside those of the bare client in the same round', () => {
  const { rows, goals } = recordRates('redis', 1_000, {
    posthorn: seconds(1, 2, 1),
    'same commands': seconds(0.5, 1, 9),
    shortest: seconds(1, 1, 1),
    batches: seconds(1, 1, 1),
  })
  expect(goals.map(goalLine)).toEqual(['middleware.redis 0.50x >=0.80x short'])
  expect(rows.map((row) => row[0])).toEqual([
    'redis: idempotency()',
    'redis: bare, same commands',
    'redis: bare, shortest',
    'redis: bare, batches',
  ])
  expect(rows[0]).toEqual(['redis: idempotency()', '500/s', '', '', '3'])
})
