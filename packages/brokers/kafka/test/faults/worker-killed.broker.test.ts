import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readLedger, startWorker, type WorkerProcess } from '@posthorn/test-brokers'
import { expectEmpty, patience } from '@posthorn/test-faults'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { withCluster } from './with-cluster.ts'
import type { KafkaWorkerParameters } from './kafka-worker.ts'

const messages = 60
const killed = 2
const ids = Array.from({ length: messages }, (_, index) => `order-${index}`)

interface Effect {
  readonly id: string
  readonly deliveries: number
  readonly worker: number
}

describe('Kafka, with a worker that is killed', () => {
  const bench = withCluster(1)
  const workers: WorkerProcess[] = []
  let folder = ''

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'posthorn-effects-'))
  })

  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.kill()))
    await rm(folder, { recursive: true })
  })

  const ledgerOf = (worker: number): string => join(folder, `worker-${worker}`)

  function start(queue: string, effects: number): WorkerProcess {
    const { url } = bench.server
    const parameters: KafkaWorkerParameters = { url, queue, ledger: ledgerOf(workers.length), effects }
    const worker = startWorker(new URL('kafka-worker.ts', import.meta.url), { ...parameters })
    workers.push(worker)
    return worker
  }

  async function effects(): Promise<Effect[]> {
    const all: Effect[] = []
    for (let worker = 0; worker < workers.length; worker += 1) {
      for await (const { id, deliveries } of readLedger(ledgerOf(worker))) {
        all.push({ id: String(id), deliveries: Number(deliveries), worker })
      }
    }
    return all
  }

  test(
    'between effect and commit, every effect happens, again only for what it held, and the count says so',
    { timeout: 90_000 },
    async () => {
      const transport = await bench.open()
      const queue = bench.name('orders')
      await transport.sendMany(
        queue,
        ids.map((id) => ({ id, data: 1 })),
      )
      for (let number = 1; number <= killed; number += 1) {
        const worker = start(queue, 10)
        await worker.waitFor('stuck', 60_000)
        await worker.kill()
      }
      const before = new Set((await effects()).map(({ id }) => id))
      start(queue, 10 * messages)
      await vi.waitFor(
        async () => expect(new Set((await effects()).map(({ id }) => id))).toEqual(new Set(ids)),
        patience,
      )
      await expectEmpty(transport, queue)
      const all = await effects()
      const repeated = all.filter(({ id }, index) => all.findIndex((one) => one.id === id) < index)
      expect(repeated.length).toBeGreaterThanOrEqual(killed)
      expect(repeated.filter(({ id }) => !before.has(id))).toEqual([])
      expect(repeated.filter(({ deliveries }) => deliveries < 2)).toEqual([])
      expect(await transport.deadLetters(queue).count()).toBe(0)
    },
  )

  test(
    'by one message each time, that one ends in the dead letters, and no other',
    { timeout: 120_000 },
    async () => {
      const transport = await bench.open({ partitions: 2 })
      const queue = bench.name('orders')
      await transport.sendMany<unknown>(queue, [
        ...ids.slice(0, 20).map((id) => ({ id, data: 1 })),
        { id: 'poison', data: 'deadly' },
        ...ids.slice(20).map((id) => ({ id, data: 1 })),
      ])
      // It is handed out four times at most, and a session has to end between two of them.
      for (let starts = 1; starts <= 6; starts += 1) {
        const worker = start(queue, 10 * messages)
        const isOver = await Promise.race([
          worker.exited.then(() => false),
          vi
            .waitFor(async () => expect(await transport.deadLetters(queue).count()).toBe(1), {
              timeout: 90_000,
              interval: 200,
            })
            .then(() => true),
        ])
        if (isOver) break
      }
      await vi.waitFor(
        async () => expect(new Set((await effects()).map(({ id }) => id))).toEqual(new Set(ids)),
        patience,
      )
      await expectEmpty(transport, queue)
      expect(await transport.deadLetters(queue).count()).toBe(1)
      expect(workers.length).toBeGreaterThan(3)
    },
  )
})
