import type { Transport } from '@posthorn/transport'
import { createMemoryBroker, memory } from '@posthorn/transport/memory'
import { createVirtualClock, type VirtualClock } from '@posthorn/transport/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { createWorkQueue, type TaskDone, type TaskFailed, type WorkQueue } from './index.ts'

interface Tasks {
  sleep: { ms: number }
  fail: { times: number }
}

let clock: VirtualClock
let transport: Transport
let tasks: WorkQueue<Tasks>
beforeEach(async () => {
  clock = createVirtualClock()
  transport = await memory({ clock })
  tasks = createWorkQueue<Tasks>(transport, 'tasks')
})

const sleep = ({ data }: { data: { ms: number } }): Promise<void> =>
  new Promise((resolve) => {
    clock.setTimer(resolve, data.ms)
  })
const fail = ({ data }: { data: { times: number } }, context: { attempt: number }): void => {
  if (context.attempt <= data.times) throw new Error(`attempt ${context.attempt}`)
}

const addSleeps = (count: number, ms: number): Promise<void> =>
  tasks.addMany(Array.from({ length: count }, () => ({ type: 'sleep' as const, data: { ms } })))

describe('sharing', () => {
  test('two workers of two processes share the tasks fairly', async () => {
    const broker = createMemoryBroker({ clock })
    const queues = [await broker.connect(), await broker.connect()].map((one) =>
      createWorkQueue<Tasks>(one, 'tasks'),
    )
    const workers = await Promise.all(queues.map((queue) => queue.work({ sleep, fail }, { concurrency: 2 })))
    await queues[0]!.addMany(
      Array.from({ length: 100 }, () => ({ type: 'sleep' as const, data: { ms: 10 } })),
    )
    await clock.advance(10_000)
    const done = workers.map((worker) => worker.stats().done)
    expect(done[0]! + done[1]!).toBe(100)
    expect(Math.abs(done[0]! - done[1]!)).toBeLessThanOrEqual(4)
  })

  test('a worker that is busy leaves the tasks to the one that is not', async () => {
    const broker = createMemoryBroker({ clock })
    const queue = createWorkQueue<Tasks>(await broker.connect(), 'tasks')
    const other = createWorkQueue<Tasks>(await broker.connect(), 'tasks')
    const slow = await queue.work({ sleep: () => sleep({ data: { ms: 1_000 } }), fail }, { concurrency: 1 })
    const quick = await other.work({ sleep, fail }, { concurrency: 1 })
    await queue.addMany(Array.from({ length: 50 }, () => ({ type: 'sleep' as const, data: { ms: 10 } })))
    await clock.advance(999)
    expect([slow.stats().done, quick.stats().done]).toEqual([0, 49])
  })
})

describe('counting', () => {
  test('counts what was added, done, failed, retried and dead-lettered', async () => {
    const worker = await tasks.work({ sleep, fail }, { maxAttempts: 3 })
    await tasks.add('sleep', { ms: 5 })
    await tasks.add('fail', { times: 1 })
    await tasks.add('fail', { times: 9 })
    await clock.advance(600_000)
    const counts = { done: 2, failed: 4, retried: 3, deadLettered: 1 }
    expect(worker.stats()).toEqual(counts)
    expect(await tasks.stats()).toMatchObject({ ...counts, added: 3, depth: { ready: 0, deadLettered: 1 } })
  })

  test('each worker counts its own, also on one transport', async () => {
    const first = await tasks.work({ sleep, fail }, { concurrency: 1 })
    const second = await tasks.work({ sleep, fail }, { concurrency: 1 })
    await tasks.addMany(Array.from({ length: 10 }, () => ({ type: 'fail' as const, data: { times: 1 } })))
    await clock.advance(600_000)
    const sum = (name: 'done' | 'failed') => first.stats()[name] + second.stats()[name]
    expect([sum('done'), sum('failed')]).toEqual([10, 10])
    expect(await tasks.stats()).toMatchObject({ done: 10, failed: 10, retried: 10 })
  })

  test('a handler that ran out of its time has failed, whatever it returns in the end', async () => {
    const worker = await tasks.work({ sleep, fail }, { handlerTimeoutMs: 1_000, maxAttempts: 1 })
    await tasks.add('sleep', { ms: 60_000 })
    await clock.advance(120_000)
    expect(worker.stats()).toEqual({ done: 0, failed: 1, retried: 0, deadLettered: 1 })
  })

  test('a released task is neither done nor failed', async () => {
    let releases = 3
    const worker = await tasks.work({
      sleep: (_, context) => (releases-- > 0 ? context.release({ delayMs: 10 }) : undefined),
      fail,
    })
    await tasks.add('sleep', { ms: 0 })
    await clock.advance(10_000)
    expect(worker.stats()).toEqual({ done: 1, failed: 0, retried: 0, deadLettered: 0 })
  })
})

describe('hooks', () => {
  test('tell of each task done', async () => {
    const done: [string, TaskDone][] = []
    await tasks.work(
      { sleep: (message) => sleep(message).then(() => 'slept'), fail },
      { onDone: (message, detail) => done.push([message.id, detail]) },
    )
    await tasks.add('sleep', { ms: 250 }, { id: 'a' })
    await clock.advance(1_000)
    expect(done).toEqual([['a', { attempt: 1, durationMs: 250, result: 'slept' }]])
  })

  test('tell of each failed attempt, and what becomes of its task', async () => {
    const failed: TaskFailed[] = []
    const retryDelay = (): number => 500
    await tasks.work(
      { sleep, fail },
      { maxAttempts: 2, retryDelay, onFailed: (_, detail) => failed.push(detail) },
    )
    await tasks.add('fail', { times: 2 })
    await clock.advance(1_000)
    expect(failed).toEqual([
      { error: new Error('attempt 1'), attempt: 1, durationMs: 0, outcome: { retryInMs: 500 } },
      {
        error: new Error('attempt 2'),
        attempt: 2,
        durationMs: 0,
        outcome: { deadLetter: 'attempts-exhausted' },
      },
    ])
  })

  test('that fail break nothing, and are told of', async () => {
    const told: string[] = []
    transport.on('callbackFailed', ({ where, error }) => told.push(`${where}: ${(error as Error).message}`))
    const onDone = (): never => {
      throw new Error('in onDone')
    }
    const worker = await tasks.work(
      { sleep, fail },
      { onDone, onFailed: () => Promise.reject(new Error('in onFailed')) },
    )
    await tasks.add('fail', { times: 1 })
    await clock.advance(60_000)
    expect(worker.stats()).toEqual({ done: 1, failed: 1, retried: 1, deadLettered: 0 })
    expect(told).toEqual([
      'onFailed of a worker of "tasks": in onFailed',
      'onDone of a worker of "tasks": in onDone',
    ])
  })
})

describe('pausing and stopping', () => {
  test('a paused worker starts nothing until it is resumed', async () => {
    const worker = await tasks.work({ sleep, fail })
    worker.pause()
    await addSleeps(3, 0)
    await clock.advance(60_000)
    expect(worker.stats().done).toBe(0)
    worker.resume()
    await clock.advance(0)
    expect(worker.stats().done).toBe(3)
  })

  test('a paused type waits while the others go on', async () => {
    const worker = await tasks.work({ sleep, fail })
    worker.pause({ types: ['fail'] })
    await tasks.add('fail', { times: 0 })
    await tasks.add('sleep', { ms: 0 })
    await clock.advance(1_000)
    expect(worker.stats().done).toBe(1)
    worker.resume({ types: ['fail'] })
    await clock.advance(1_000)
    expect(worker.stats().done).toBe(2)
  })

  test('its concurrency can be changed while it runs', async () => {
    const worker = await tasks.work({ sleep, fail }, { concurrency: 1 })
    await addSleeps(10, 1_000)
    await clock.advance(500)
    expect(worker.health().running).toBe(1)
    worker.setConcurrency(4)
    expect(worker.concurrency).toBe(4)
    await clock.advance(100)
    expect(worker.health().running).toBe(4)
    expect(() => worker.setConcurrency(0)).toThrow('takes a whole number from 1, and got 0')
  })

  test('stopping lets running tasks end and leaves the others', async () => {
    const worker = await tasks.work({ sleep, fail }, { concurrency: 2 })
    await addSleeps(5, 1_000)
    await clock.advance(100)
    const stopping = worker.stop({ deadlineMs: 10_000 })
    await clock.advance(1_000)
    expect(await stopping).toMatchObject({ source: 'tasks', unfinished: [] })
    expect(worker.stats()).toEqual({ done: 2, failed: 0, retried: 0, deadLettered: 0 })
    expect((await tasks.stats()).depth).toMatchObject({ ready: 3, inFlight: 0 })
  })

  test('a worker can be disposed of', async () => {
    const worker = await tasks.work({ sleep, fail })
    await worker[Symbol.asyncDispose]()
    await tasks.add('sleep', { ms: 0 })
    await clock.advance(1_000)
    expect((await tasks.stats()).depth.ready).toBe(1)
  })
})

describe('options', () => {
  test('an unknown one is refused, with the near one', async () => {
    const given = { ratelimit: { max: 1, perMs: 1 } } as never
    await expect(tasks.work({ sleep, fail }, given)).rejects.toThrow(
      'work("tasks") has no option "ratelimit". Did you mean "rateLimit"?',
    )
  })

  test('those of the transport are checked by it', async () => {
    await expect(tasks.work({ sleep, fail }, { maxAttempts: 0 })).rejects.toThrow(
      'maxAttempts must be a whole number from 1',
    )
    await expect(tasks.work({ sleep, fail }, { concurrency: 1.5 })).rejects.toThrow(
      'concurrency must be a whole number from 1',
    )
  })

  test('what has no meaning for a queue of tasks is unknown', async () => {
    await expect(tasks.work({ sleep, fail }, { batch: { max: 2 } } as never)).rejects.toThrow(
      'has no option "batch"',
    )
    await expect(tasks.work({ sleep, fail }, { from: 'earliest' } as never)).rejects.toThrow(
      'has no option "from"',
    )
  })
})
