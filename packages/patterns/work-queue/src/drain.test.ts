import { createMemoryBroker, type MemoryBroker } from '@posthorn/transport/memory'
import { createVirtualClock, type VirtualClock } from '@posthorn/transport/testing'
import { beforeEach, expect, test } from 'vitest'
import { createWorkQueue, type DrainReport, type WorkQueue } from './index.ts'

interface Tasks {
  sleep: { ms: number }
}

let clock: VirtualClock
let broker: MemoryBroker
let tasks: WorkQueue<Tasks>
beforeEach(async () => {
  clock = createVirtualClock()
  broker = createMemoryBroker({ clock })
  tasks = createWorkQueue<Tasks>(await broker.connect(), 'tasks')
})

const sleep = ({ data }: { data: { ms: number } }): Promise<void> =>
  new Promise((resolve) => void clock.setTimer(resolve, data.ms))

/** What it answers, and after how many milliseconds. */
async function timed(draining: Promise<DrainReport>): Promise<{ report: DrainReport; ms: number }> {
  const startedAt = clock.now()
  let answer: { report: DrainReport; ms: number } | undefined
  void draining.then((report) => (answer = { report, ms: clock.now() - startedAt }))
  await clock.runUntil(() => answer !== undefined)
  return answer!
}

test('resolves once running, waiting and delayed tasks are done', async () => {
  await tasks.work({ sleep }, { concurrency: 1 })
  await tasks.add('sleep', { ms: 1_000 })
  await tasks.add('sleep', { ms: 1_000 })
  await tasks.add('sleep', { ms: 1_000 }, { delayMs: 10_000 })
  const { report, ms } = await timed(tasks.drain())
  expect(report).toMatchObject({ empty: true, depth: { ready: 0, delayed: 0, inFlight: 0 } })
  expect(ms).toBeGreaterThanOrEqual(11_000)
  expect(ms).toBeLessThanOrEqual(12_500)
})

test('a queue that nobody has used yet is empty', async () => {
  expect((await timed(tasks.drain())).report.empty).toBe(true)
  expect((await tasks.stats()).depth.ready).toBe(0)
})

test('resolves at the deadline, and says what is left', async () => {
  await tasks.work({ sleep }, { concurrency: 1 })
  await tasks.add('sleep', { ms: 60_000 })
  await tasks.add('sleep', { ms: 60_000 })
  const { report, ms } = await timed(tasks.drain({ deadlineMs: 5_000 }))
  expect(report).toMatchObject({ empty: false, depth: { ready: 1, inFlight: 1 } })
  expect(ms).toBe(5_000)
})

test('changes nothing: workers go on', async () => {
  const worker = await tasks.work({ sleep }, { concurrency: 1 })
  await tasks.add('sleep', { ms: 0 })
  await timed(tasks.drain())
  await tasks.add('sleep', { ms: 0 })
  await clock.advance(0)
  expect(worker.stats().done).toBe(2)
})

test('goes on asking when the connection was away', async () => {
  await tasks.work({ sleep })
  await tasks.add('sleep', { ms: 100 })
  await clock.advance(0)
  broker.faults.refuse(true)
  broker.faults.cut()
  const draining = timed(tasks.drain({ deadlineMs: 600_000 }))
  clock.setTimer(() => broker.faults.refuse(false), 120_000)
  const { report } = await draining
  expect(report.empty).toBe(true)
})

test('ends at the deadline also when nobody answers', async () => {
  await tasks.add('sleep', { ms: 100 })
  broker.faults.refuse(true)
  broker.faults.cut()
  const { report, ms } = await timed(tasks.drain({ deadlineMs: 5_000 }))
  expect(report).toEqual({ empty: false, depth: undefined })
  expect(ms).toBe(5_000)
})

test('can be aborted', async () => {
  await tasks.add('sleep', { ms: 100 })
  const controller = new AbortController()
  const draining = tasks.drain({ signal: controller.signal })
  await clock.advance(10)
  controller.abort()
  await expect(draining).rejects.toMatchObject({ code: 'POSTHORN_ABORTED' })
  await expect(tasks.drain({ signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'POSTHORN_ABORTED',
  })
})

test('refuses what cannot be meant', async () => {
  await expect(tasks.drain({ deadlineMs: -1 })).rejects.toThrow(
    'deadlineMs must be a number of milliseconds from 0',
  )
  await expect(tasks.drain({ deadline: 1 } as never)).rejects.toThrow('Did you mean "deadlineMs"?')
})
