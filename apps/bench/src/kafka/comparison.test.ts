import { expect, test } from 'vitest'
import { comparison } from './comparison.ts'
import type { ClientName } from './bench-client.ts'
import type { Series } from '../contest/rounds.ts'

/** Two rounds, in which the client takes so many seconds on the wall, and a quarter of them of processor time. */
function seriesOf(kind: string, client: ClientName, ...walls: readonly number[]): Series {
  const results = walls.map((wall) => ({ wall, processor: wall / 4, times: [wall, 2 * wall, 9 * wall] }))
  return { kind, client, messages: 1000, results }
}

test('the goals are our ratios to kafkajs, of what was measured', () => {
  const { goals } = comparison([
    seriesOf('publish', 'posthorn', 1, 2),
    seriesOf('publish', 'kafkajs', 2, 4),
    seriesOf('publish', 'platformatic', 1, 2),
    seriesOf('consume', 'posthorn', 1, 2),
    seriesOf('consume', 'kafkajs', 1, 2),
    seriesOf('consume', 'kafkajs, eachBatch', 0.5, 1),
    seriesOf('exchange', 'posthorn', 1, 1),
    seriesOf('exchange', 'kafkajs', 2, 2),
  ])
  expect(goals.map(({ name, measured }) => [name, measured])).toEqual([
    ['kafka.publish', 2],
    ['kafka.consume, eachMessage', 1],
    ['kafka.consume, eachBatch', 0.5],
    ['kafka.latency p50', 0.5],
    ['kafka.latency p99', 0.5],
  ])
})

test('a row says who it is, what it makes, and our ratio to it', () => {
  const { rows } = comparison([seriesOf('consume', 'posthorn', 1, 2), seriesOf('consume', 'kafkajs', 2, 4)])
  expect(rows).toEqual([
    ['consume: posthorn', '750/s', '3,000', '', '', '2'],
    ['consume: kafkajs, eachMessage', '375/s', '1,500', '2.00', '2.00', '2'],
  ])
})

test('nothing measured is no goal', () => {
  expect(comparison([])).toEqual({ rows: [], goals: [] })
})
