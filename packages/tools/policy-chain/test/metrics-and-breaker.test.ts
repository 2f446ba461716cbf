import { expect, test } from 'vitest'
import { createBreaker } from '@posthorn/circuit-breaker'
import { createMetrics } from '@posthorn/metrics'
import { memory } from '@posthorn/transport/memory'
import { createVirtualClock } from '@posthorn/transport/testing'

test('metrics show a breaker as it is: its state, its calls, and how often it opened', async () => {
  const clock = createVirtualClock()
  const metrics = createMetrics()
  const bank = createBreaker({ name: 'bank', clock, minimumCalls: 3, resetMs: 1_000, jitter: 'none' })
  metrics.watchBreaker(bank)
  const transport = await memory({ clock })
  let isDown = true
  await transport.consume(
    'orders',
    () => {
      if (isDown) throw new Error('503')
    },
    { use: [metrics.use, bank.consume()], concurrency: 1, retryDelay: () => 100 },
  )
  const shown = (): Record<string, number> =>
    Object.fromEntries(
      metrics.families
        .filter(({ name }) => name.startsWith('posthorn_breaker_'))
        .flatMap(({ name, read }) =>
          read().map(({ labels, value }) => [
            [name.slice('posthorn_breaker_'.length), ...Object.values(labels)].join(' '),
            value,
          ]),
        ),
    )

  expect(shown()).toMatchObject({ 'state bank': 0, 'opened_total bank': 0 })
  for (let data = 1; data <= 3; data++) await transport.send('orders', { data })
  await clock.advance(10)
  expect(shown()).toEqual({
    'state bank': 1,
    'calls_total bank succeeded': 0,
    'calls_total bank failed': 3,
    'calls_total bank ignored': 0,
    'calls_total bank rejected': 0,
    'opened_total bank': 1,
  })
  await expect(bank.execute(() => 1)).rejects.toThrow('bank')
  isDown = false
  await clock.advance(10_000)
  expect(shown()).toMatchObject({
    'state bank': 0,
    'calls_total bank succeeded': 3,
    'calls_total bank rejected': 1,
  })
  bank.isolate()
  expect(shown()).toMatchObject({ 'state bank': 1 })
  await transport.close()
})
