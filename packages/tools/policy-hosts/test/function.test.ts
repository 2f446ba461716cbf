import { expect, test } from 'vitest'
import { createBreaker } from '@posthorn/circuit-breaker'
import { retry } from '@posthorn/dlq-retry'
import { idempotency } from '@posthorn/idempotency'
import { createMetrics, type Metrics } from '@posthorn/metrics'
import { memoryStore } from '@posthorn/store/memory'
import { createVirtualClock, type VirtualClock } from '@posthorn/transport/testing'

interface Payment {
  readonly key: string
  readonly total: number
}

interface Shop {
  readonly clock: VirtualClock
  readonly metrics: Metrics
  /** When the provider was called, milliseconds from the start. */
  readonly calls: number[]
  readonly charges: string[]
  isDown: boolean
  /** What an HTTP handler would call. */
  pay(payment: Payment): Promise<{ readonly receipt: number }>
}

function openShop(): Shop {
  const clock = createVirtualClock()
  const metrics = createMetrics({ clock })
  const policy = retry({
    maxAttempts: 3,
    backoff: [100, 200],
    jitter: 'none',
    when: [
      { codes: ['POSTHORN_CIRCUIT_OPEN', 'POSTHORN_IN_PROGRESS', 'POSTHORN_KEY_CONFLICT'], retry: false },
    ],
    clock,
  })
  const bank = createBreaker({ name: 'bank', minimumCalls: 6, resetMs: 5_000, jitter: 'none', clock })
  const once = idempotency({ store: memoryStore({ now: () => clock.now() }), clock })
  metrics.watchBreaker(bank)
  const begunAt = clock.now()
  const calls: number[] = []
  const charges: string[] = []

  async function charge({ key }: Payment): Promise<{ readonly receipt: number }> {
    calls.push(clock.now() - begunAt)
    await Promise.resolve()
    if (shop.isDown) throw new Error('503')
    charges.push(key)
    return { receipt: charges.length }
  }

  const shop: Shop = {
    clock,
    metrics,
    calls,
    charges,
    isDown: false,
    pay: (payment) =>
      metrics.run('payments', () =>
        policy.run(() => bank.execute(() => once.run(payment.key, payment.total, () => charge(payment)))),
      ),
  }
  return shop
}

test('a function that is called again charges once, answers the same, and tells what it refuses', async () => {
  const shop = openShop()
  const { charges, metrics, clock } = shop
  const first = shop.pay({ key: 'order-1', total: 5 })
  await expect(shop.pay({ key: 'order-1', total: 5 })).rejects.toMatchObject({ code: 'POSTHORN_IN_PROGRESS' })
  expect(await first).toEqual({ receipt: 1 })
  expect(await shop.pay({ key: 'order-2', total: 5 })).toEqual({ receipt: 2 })
  expect(await shop.pay({ key: 'order-1', total: 5 })).toEqual({ receipt: 1 })
  await expect(shop.pay({ key: 'order-1', total: 6 })).rejects.toMatchObject({
    code: 'POSTHORN_KEY_CONFLICT',
  })
  expect(charges).toEqual(['order-1', 'order-2'])
  expect(metrics.getStats()).toMatchObject({ received: 5, handled: 3, failed: 2, inFlight: 0 })
  expect(clock.pending).toBe(0)
})

test('it is tried on the schedule, and its key is free between attempts', async () => {
  const shop = openShop()
  shop.isDown = true
  const payment = shop.pay({ key: 'order-1', total: 5 })
  await shop.clock.advance(299)
  expect(shop.calls).toEqual([0, 100])
  shop.isDown = false
  await shop.clock.advance(1)
  expect(await payment).toEqual({ receipt: 1 })
  expect(shop.calls).toEqual([0, 100, 300])
  expect(shop.clock.pending).toBe(0)
})

test('the breaker opens, refuses without calling, and closes by one call that succeeds', async () => {
  const shop = openShop()
  const { clock, metrics, calls } = shop
  shop.isDown = true
  const failed = Promise.allSettled(['a', 'b'].map((key) => shop.pay({ key, total: 1 })))
  await clock.advance(300)
  expect((await failed).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(calls).toHaveLength(6)

  await expect(shop.pay({ key: 'c', total: 1 })).rejects.toMatchObject({
    code: 'POSTHORN_CIRCUIT_OPEN',
    retryAfterMs: 5_000,
  })
  expect(calls).toHaveLength(6)
  shop.isDown = false
  await clock.advance(5_000)
  expect(await shop.pay({ key: 'c', total: 1 })).toEqual({ receipt: 1 })
  expect(metrics.getStats()).toMatchObject({ received: 4, handled: 1, failed: 3, inFlight: 0 })
  const shown = new Map(metrics.families.map(({ name, read }) => [name, read()]))
  expect(shown.get('posthorn_breaker_opened_total')).toMatchObject([{ value: 1 }])
  expect(shown.get('posthorn_breaker_state')).toMatchObject([{ value: 0 }])
})
