import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readLedger, startWorker, type WorkerProcess } from '@posthorn/test-brokers'
import { expectEmpty, patience } from '@posthorn/test-faults'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { version, withRabbitmq } from '../with-rabbitmq.ts'
import type { EffectWorkerParameters } from './effect-worker.ts'

const messages = 60
const killed = 3

describe(`RabbitMQ ${version}, with a worker that is killed`, () => {
  const bench = withRabbitmq()
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

  function start(number: number, queue: string, effects: number): WorkerProcess {
    const parameters: EffectWorkerParameters = {
      url: bench.server.url,
      queue,
      ledger: ledgerOf(number),
      effects,
    }
    const worker = startWorker(new URL('effect-worker.ts', import.meta.url), { ...parameters })
    workers.push(worker)
    return worker
  }

  async function effects(workersSoFar: number): Promise<string[]> {
    const ids: string[] = []
    for (let worker = 1; worker <= workersSoFar; worker += 1) {
      for await (const { id } of readLedger(ledgerOf(worker))) ids.push(String(id))
    }
    return ids
  }

  test(
    'between effect and ack, every effect happens, and again only for what it held',
    { timeout: 90_000 },
    async () => {
      const transport = await bench.open()
      const queue = bench.name('orders')
      const ids = Array.from({ length: messages }, (_, index) => `order-${index}`)
      await transport.sendMany(
        queue,
        ids.map((id) => ({ id, data: 1 })),
      )
      for (let number = 1; number <= killed; number += 1) {
        const worker = start(number, queue, 10)
        await worker.waitFor('stuck')
        await worker.kill()
      }
      const before = await effects(killed)
      start(killed + 1, queue, 10 * messages)
      await vi.waitFor(async () => expect(new Set(await effects(killed + 1))).toEqual(new Set(ids)), patience)
      await expectEmpty(transport, queue)
      const all = await effects(killed + 1)
      const repeated = all.filter((id, index) => all.indexOf(id) < index)
      expect(repeated.length).toBeGreaterThanOrEqual(killed)
      // Only what a killed worker had begun and not acked.
      expect(repeated.filter((id) => !before.includes(id))).toEqual([])
      expect(repeated.length).toBeLessThanOrEqual(before.length)
      expect(await transport.deadLetters(queue).count()).toBe(0)
    },
  )
})
