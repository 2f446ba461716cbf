import type { Context } from '@posthorn/transport'
import { createMemoryBroker, type MemoryBroker } from '@posthorn/transport/memory'
import { createVirtualClock, type VirtualClock } from '@posthorn/transport/testing'
import { beforeEach, expect, test } from 'vitest'
import { createWorkQueue, type WorkQueue } from './index.ts'

interface Tasks {
  call: { ms: number }
}

let clock: VirtualClock
let broker: MemoryBroker
let tasks: WorkQueue<Tasks>
let startedAt: number[]
let contexts: Context[]
let t0: number
beforeEach(async () => {
  clock = createVirtualClock()
  broker = createMemoryBroker({ clock })
  tasks = createWorkQueue<Tasks>(await broker.connect(), 'tasks')
  startedAt = []
  contexts = []
  t0 = clock.now()
})

const call = ({ data }: { data: { ms: number } }, context: Context): Promise<void> | undefined => {
  startedAt.push(clock.now() - t0)
  contexts.push(context)
  return data.ms === 0 ? undefined : new Promise((resolve) => void clock.setTimer(resolve, data.ms))
}

const addCalls = (count: number, ms = 0): Promise<void> =>
  tasks.addMany(Array.from({ length: count }, () => ({ type: 'call' as const, data: { ms } })))

test('a bucket of tasks starts at once, and the others one by one as it refills', async () => {
  await tasks.work({ call }, { rateLimit: { max: 5, perMs: 1_000 } })
  await addCalls(12)
  await clock.advance(10_000)
  expect(startedAt).toEqual([0, 0, 0, 0, 0, 200, 400, 600, 800, 1_000, 1_200, 1_400])
})

test('a rate higher than the steps in which the worker takes up again is kept', async () => {
  await tasks.work({ call }, { concurrency: 50, rateLimit: { max: 100, perMs: 1_000 } })
  await addCalls(1_000)
  await clock.advance(8_900)
  expect(startedAt.length).toBeGreaterThanOrEqual(980)
  for (const [index, time] of startedAt.entries()) expect(index).toBeLessThanOrEqual(100 + time / 10)
  await clock.advance(500)
  expect(startedAt).toHaveLength(1_000)
})

test('waiting for tokens spends no attempt and hands nothing out again and again', async () => {
  await tasks.work({ call }, { concurrency: 20, rateLimit: { max: 2, perMs: 1_000 }, maxAttempts: 1 })
  await addCalls(100)
  await clock.advance(60_000)
  expect(startedAt).toHaveLength(100)
  expect(contexts.map(({ attempt }) => attempt)).toEqual(Array.from({ length: 100 }, () => 1))
  expect(Math.max(...contexts.map(({ deliveries }) => deliveries))).toBeLessThanOrEqual(3)
})

test('where a broker counts releases as hand-outs, no task is taken for one that ends its process', async () => {
  const counting = createMemoryBroker({ clock, release: 'counted', lease: { scope: 'session' } })
  const transport = await counting.connect()
  const suspects: unknown[] = []
  transport.on('suspect', (event) => suspects.push(event))
  tasks = createWorkQueue<Tasks>(transport, 'tasks')
  await tasks.work({ call }, { concurrency: 20, rateLimit: { max: 2, perMs: 1_000 } })
  await addCalls(100)
  await clock.advance(60_000)
  expect(startedAt).toHaveLength(100)
  expect(suspects).toEqual([])
})

test('no handler, slot or lease is held while the bucket is empty', async () => {
  const worker = await tasks.work(
    { call },
    { concurrency: 5, rateLimit: { max: 1, perMs: 3_600_000 }, handlerTimeoutMs: 1_000 },
  )
  await addCalls(10)
  await clock.advance(60_000)
  expect(worker.health()).toMatchObject({ running: 0, waiting: 0 })
  expect((await tasks.stats()).depth).toMatchObject({ ready: 9, inFlight: 0 })
  expect(worker.stats()).toMatchObject({ done: 1, failed: 0 })
})

test('what a limited worker leaves, others get', async () => {
  const others = createWorkQueue<Tasks>(await broker.connect(), 'tasks')
  const limited = await tasks.work({ call }, { rateLimit: { max: 1, perMs: 60_000 } })
  const free = await others.work({ call })
  await addCalls(30, 10)
  await clock.advance(1_000)
  expect([limited.stats().done, free.stats().done]).toEqual([1, 29])
})

test('each worker has a bucket of its own', async () => {
  await tasks.work({ call }, { rateLimit: { max: 2, perMs: 1_000 } })
  await tasks.work({ call }, { rateLimit: { max: 2, perMs: 1_000 } })
  await addCalls(20)
  await clock.advance(0)
  expect(startedAt).toHaveLength(4)
})

test('tasks that take longer than the refill are bounded by both limits', async () => {
  const worker = await tasks.work({ call }, { concurrency: 3, rateLimit: { max: 5, perMs: 1_000 } })
  await addCalls(20, 2_000)
  for (let step = 0; step < 100; step += 1) {
    await clock.advance(100)
    expect(worker.health().running).toBeLessThanOrEqual(3)
  }
  expect(worker.concurrency).toBe(3)
  expect(startedAt.length).toBeGreaterThanOrEqual(12)
})

test('a retry takes a token as a first attempt does', async () => {
  let failures = 1
  const failOnce = (_: unknown, context: Context): void => {
    startedAt.push(clock.now() - t0)
    if (context.attempt === 1 && failures-- > 0) throw new Error('busy')
  }
  await tasks.work({ call: failOnce }, { rateLimit: { max: 1, perMs: 10_000 }, retryDelay: () => 1 })
  await addCalls(1)
  await clock.advance(60_000)
  expect(startedAt).toEqual([0, 10_000])
})

test('stopping does not wait for tokens', async () => {
  const worker = await tasks.work({ call }, { rateLimit: { max: 1, perMs: 3_600_000 } })
  await addCalls(3)
  await clock.advance(10)
  const stopping = worker.stop()
  await clock.advance(0)
  expect(await stopping).toMatchObject({ unfinished: [] })
  await clock.advance(7_200_000)
  expect(startedAt).toHaveLength(1)
})

test('pausing and resuming by hand does not lift the limit', async () => {
  const worker = await tasks.work({ call }, { rateLimit: { max: 1, perMs: 10_000 } })
  await addCalls(3)
  await clock.advance(10)
  worker.pause()
  worker.resume()
  await clock.advance(9_000)
  expect(startedAt).toEqual([0])
  worker.pause()
  await clock.advance(60_000)
  expect(startedAt).toEqual([0])
  worker.resume()
  await clock.advance(0)
  expect(startedAt).toHaveLength(2)
})

test('changing the concurrency does not lift the limit', async () => {
  const worker = await tasks.work({ call }, { concurrency: 1, rateLimit: { max: 2, perMs: 10_000 } })
  worker.setConcurrency(10)
  await addCalls(10)
  await clock.advance(9_000)
  expect(startedAt.length).toBeLessThanOrEqual(3)
})

test('a limit that cannot be meant is refused', async () => {
  for (const [rateLimit, message] of [
    [{ max: 0, perMs: 1_000 }, 'work("tasks").rateLimit.max must be a whole number from 1, but is 0.'],
    [{ max: 1.5, perMs: 1_000 }, 'rateLimit.max must be a whole number'],
    [{ max: 1, perMs: 0 }, 'rateLimit.perMs must be a number of milliseconds from 1'],
    [{ max: 1 }, 'rateLimit.perMs must be a number of milliseconds from 1, but is missing'],
    [{ max: 1, per: 1 }, 'Did you mean "perMs"?'],
  ] as const) {
    await expect(tasks.work({ call }, { rateLimit: rateLimit as never })).rejects.toThrow(message)
  }
})

test('a worker that fetches ahead holds no more tasks than it has tokens for', async () => {
  const worker = await tasks.work(
    { call },
    { concurrency: 1, prefetch: 20, rateLimit: { max: 1, perMs: 3_600_000 } },
  )
  await addCalls(10)
  await clock.advance(60_000)
  expect(worker.stats().done).toBe(1)
  expect(worker.health().waiting).toBe(0)
})
