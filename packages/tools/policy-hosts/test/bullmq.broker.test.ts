import { DelayedError, Queue, Worker, type Job, type JobsOptions } from 'bullmq'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { CircuitOpenError, createBreaker } from '@posthorn/circuit-breaker'
import { retry } from '@posthorn/dlq-retry'
import { idempotency } from '@posthorn/idempotency'
import { createMetrics } from '@posthorn/metrics'
import { redisStore } from '@posthorn/store/redis'
import { tryStartRedis, type TestServer } from '@posthorn/test-brokers'
import { isPosthornError } from '@posthorn/transport'
import { createVirtualClock } from '@posthorn/transport/testing'

interface Order {
  readonly orderId: string
}

const patience = { timeout: 20_000, interval: 20 }
let server: TestServer | undefined
let reason: string | undefined
const opened: { close(): Promise<void> }[] = []

beforeAll(async () => {
  ;({ server, reason } = await tryStartRedis())
}, 180_000)

afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one.close()
})

afterAll(async () => server?.stop())

/** Closed after the test, in reverse order. */
function opening<One extends { close(): Promise<void> }>(one: One): One {
  opened.push(one)
  return one
}

function connect(url: string): Redis {
  const client = new Redis(url, { maxRetriesPerRequest: null })
  opening({ close: async () => client.disconnect() })
  return client
}

/** What a refusal asks for is another time, and no failure: the job waits in its queue, with no attempt spent. */
async function delayRefused(error: unknown, job: Job, token: string | undefined): Promise<never> {
  const isRefusal =
    isPosthornError(error) && ['POSTHORN_CIRCUIT_OPEN', 'POSTHORN_IN_PROGRESS'].includes(error.code)
  if (!isRefusal) throw error
  const { retryAfterMs = 1_000 } = error as { readonly retryAfterMs?: number }
  await job.moveToDelayed(Date.now() + Math.min(retryAfterMs, 1_000), token)
  throw new DelayedError()
}

test('jobs that were added three times have their effect once, and each gets its result', async (context) => {
  if (server === undefined) return context.skip(reason)
  const connection = connect(server.url)
  const once = idempotency({ store: redisStore(connection), leaseMs: 5_000 })
  const metrics = createMetrics()
  const charged: string[] = []
  const processor = async (job: Job<Order>, token?: string): Promise<unknown> =>
    metrics
      .run('charges', () =>
        once.run(`charge/${job.data.orderId}`, job.data, async () => {
          // Its duplicates come meanwhile.
          await new Promise(setImmediate)
          charged.push(job.data.orderId)
          return { receipt: charged.length }
        }),
      )
      .catch((error: unknown) => delayRefused(error, job, token))
  const queue = opening(new Queue<Order>('charges', { connection }))
  const orders = Array.from({ length: 20 }, (_, index) => `order-${index}`)
  const jobs = await queue.addBulk(
    [...orders, ...orders, ...orders].map((orderId) => ({ name: 'charge', data: { orderId } })),
  )
  for (let worker = 0; worker < 2; worker += 1)
    opening(new Worker<Order>('charges', processor, { connection: connect(server.url), concurrency: 20 }))

  await vi.waitFor(async () => {
    expect(await queue.getJobCounts()).toMatchObject({ completed: jobs.length, failed: 0, delayed: 0 })
  }, patience)
  expect(charged.toSorted()).toEqual(orders.toSorted())
  const results = new Map<string, Set<unknown>>()
  for (const { id = '' } of jobs) {
    const job = (await queue.getJob(id)) as Job<Order, { receipt: number }>
    const receipts = results.get(job.data.orderId) ?? new Set()
    results.set(job.data.orderId, receipts.add(job.returnvalue.receipt))
  }
  expect([...results.values()].map(({ size }) => size)).toEqual(orders.map(() => 1))
  expect(metrics.getStats()).toMatchObject({ handled: jobs.length, inFlight: 0 })
})

test('a job is tried again on the schedule, within one attempt of BullMQ', async (context) => {
  if (server === undefined) return context.skip(reason)
  const clock = createVirtualClock()
  const policy = retry({ maxAttempts: 4, backoff: [1_000, 5_000], jitter: 'none', clock })
  const begunAt = clock.now()
  const triedAt: number[] = []
  const metrics = createMetrics({ clock })
  const processor = (): Promise<string> =>
    policy.run(({ attempt }) =>
      metrics.run('mails', () => {
        triedAt.push(clock.now() - begunAt)
        if (attempt < 4) throw new Error('421 try again later')
        return `on attempt ${attempt}`
      }),
    )
  const queue = opening(new Queue('mails', { connection: connect(server.url) }))
  opening(new Worker('mails', processor, { connection: connect(server.url) }))
  const { id = '' } = await queue.add('mail', {})

  for (const [waitMs, tries] of [
    [0, 1],
    [999, 1],
    [1, 2],
    [4_999, 2],
    [1, 3],
    [4_999, 3],
    [1, 4],
  ] as const) {
    await clock.advance(waitMs)
    await vi.waitFor(() => expect(triedAt).toHaveLength(tries), patience)
  }
  await vi.waitFor(async () => expect(await queue.getCompletedCount()).toBe(1), patience)
  expect(triedAt).toEqual([0, 1_000, 6_000, 11_000])
  const job = (await queue.getJob(id)) as Job
  expect([job.attemptsMade, job.returnvalue]).toEqual([1, 'on attempt 4'])
  expect(metrics.getStats()).toMatchObject({ received: 4, failed: 3, handled: 1 })
})

test('a job fails in BullMQ when the policy gives up, with the last error', async (context) => {
  if (server === undefined) return context.skip(reason)
  const policy = retry({ maxAttempts: 3, backoff: 1, when: [{ codes: 'card_declined', retry: false }] })
  const tries: string[] = []
  const processor = (job: Job<{ readonly code: string }>): Promise<void> =>
    policy.run(() => {
      tries.push(job.data.code)
      throw Object.assign(new Error(job.data.code), { code: job.data.code })
    })
  const queue = opening(new Queue('cards', { connection: connect(server.url) }))
  opening(new Worker('cards', processor, { connection: connect(server.url) }))
  const codes = ['card_declined', 'timeout']
  for (const code of codes) await queue.add('charge', { code }, { attempts: 1 })
  await vi.waitFor(async () => expect(await queue.getFailedCount()).toBe(2), patience)
  expect(tries).toEqual(['card_declined', 'timeout', 'timeout', 'timeout'])
  const failed = await queue.getFailed()
  expect(failed.map(({ failedReason }) => failedReason).toSorted()).toEqual(codes)
})

test('while the breaker is open jobs are delayed and none fails; they are done when it has closed', async (context) => {
  if (server === undefined) return context.skip(reason)
  const clock = createVirtualClock()
  const metrics = createMetrics()
  const bank = createBreaker({ name: 'bank', minimumCalls: 3, resetMs: 1_000, jitter: 'none', clock })
  metrics.watchBreaker(bank)
  let isDown = true
  let refused = 0
  const charged: string[] = []
  const charge = ({ orderId }: Order): void => {
    if (isDown) throw new Error('503')
    charged.push(orderId)
  }
  const processor = async (job: Job<Order>, token?: string): Promise<void> =>
    metrics
      .run('payments', () => bank.execute(() => charge(job.data)))
      .catch((error: unknown) => {
        if (error instanceof CircuitOpenError) refused += 1
        return delayRefused(error, job, token)
      })
  const queue = opening(new Queue<Order>('payments', { connection: connect(server.url) }))
  const opts: JobsOptions = { attempts: 4, backoff: { type: 'fixed', delay: 1 } }
  const orders = Array.from({ length: 10 }, (_, index) => `order-${index}`)
  const jobs = await queue.addBulk(orders.map((orderId) => ({ name: 'pay', data: { orderId }, opts })))
  opening(new Worker<Order>('payments', processor, { connection: connect(server.url) }))

  await vi.waitFor(() => expect(refused).toBeGreaterThanOrEqual(2 * orders.length), patience)
  expect([charged, bank.state, await queue.getFailedCount()]).toEqual([[], 'open', 0])
  expect(metrics.families.find(({ name }) => name === 'posthorn_breaker_state')?.read()).toMatchObject([
    { labels: { breaker: 'bank' }, value: 1 },
  ])
  isDown = false
  await clock.advance(1_000)
  await vi.waitFor(async () => {
    expect(await queue.getJobCounts()).toMatchObject({ completed: orders.length, failed: 0, delayed: 0 })
  }, patience)
  expect(charged.toSorted()).toEqual(orders)
  expect(bank.counts()).toMatchObject({ succeeded: orders.length, failed: 3 })
  // The three that it took to notice, and not one more.
  const done = await Promise.all(jobs.map(({ id = '' }) => queue.getJob(id)))
  expect(done.reduce((sum, job) => sum + (job?.attemptsMade ?? 0), 0)).toBe(orders.length + 3)
  expect(metrics.getStats()).toMatchObject({ handled: orders.length, inFlight: 0 })
})
