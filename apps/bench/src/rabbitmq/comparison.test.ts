import { expect, test } from 'vitest'
import { medianRatio } from '../median-ratio.ts'
import { quantile } from '../quantile.ts'
import { clientNames, type ClientName } from './bench-client.ts'
import { comparison } from './comparison.ts'
import { inWindow } from '../contest/in-window.ts'
import type { Series } from '../contest/rounds.ts'

/** Two rounds, in which each client takes so many seconds on the wall, and a quarter of them of processor time. */
function seriesOf(kind: Series['kind'], client: ClientName, ...walls: readonly number[]): Series {
  const results = walls.map((wall) => ({ wall, processor: wall / 4, times: [wall, 2 * wall, 9 * wall] }))
  return { kind, client, messages: client === 'rascal' ? 200 : 1000, results }
}

const kinds = ['publish', 'consume', 'exchange'] as const

test('a ratio is the median of those of each round', () => {
  expect(medianRatio([1, 20, 3], [2, 10, 6])).toBe(0.5)
})

test('a quantile is one of the values', () => {
  expect(quantile([3, 1, 2, 4], 0.5)).toBe(2)
  expect(quantile([3, 1, 2, 4], 0.99)).toBe(4)
  expect(quantile([], 0.5)).toBeNaN()
})

test('the goals are our ratios to raw clients', () => {
  const all = kinds.flatMap((kind) =>
    clientNames.map((client) =>
      client === 'posthorn' ? seriesOf(kind, client, 2, 4) : seriesOf(kind, client, 1, 2),
    ),
  )
  const { goals, rows } = comparison(all)
  expect(goals.map(({ name, measured }) => [name, measured])).toEqual([
    ['rabbitmq.publish', 0.5],
    ['rabbitmq.consume, raw acks each', 0.5],
    ['rabbitmq.consume, raw acks by 50', 0.5],
    ['rabbitmq.latency p50', 2],
    ['rabbitmq.latency p99', 2],
  ])
  expect(rows[0]).toEqual(['publish: posthorn', '375/s', '1,500', '', '', '2'])
  expect(rows[1]).toEqual(['publish: raw amqplib', '750/s', '3,000', '0.50', '0.50', '2'])
})

test('never more than the window are under way, and each one ended starts the next', async () => {
  const open: ((error?: unknown) => void)[] = []
  let most = 0
  const done = inWindow(5, 2, (end) => {
    open.push(end)
    most = Math.max(most, open.length)
  })
  while (open.length > 0) open.shift()?.()
  await done
  expect(most).toBe(2)
})

test('the first one that fails ends the window', async () => {
  await expect(inWindow(2, 1, (end) => end(new Error('no')))).rejects.toThrow('no')
})
