import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readLedger, startWorker, type WorkerProcess } from '@posthorn/test-brokers'
import type { Outcomes } from '../src/outcomes-of.ts'
import type { OwnCounts } from '../src/own-counts.ts'
import type { ChainWorkerParameters } from './workers/chain-worker.ts'

const module = new URL('workers/chain-worker.ts', import.meta.url)

/** Workers that are killed and started again, and what they wrote down. */
export interface Crew {
  /** SIGKILL for one of them, and another one in its place. */
  kill(): Promise<void>
  /** From now on it answers. */
  bankIsUp(): Promise<void>
  /** How many attempts of an id began and failed, by what the workers wrote. */
  attempts(): Promise<ReadonlyMap<string, Attempts>>
  /** What those that live have counted. */
  counts(): Promise<readonly WorkerCounts[]>
  end(): Promise<void>
}

export interface Attempts {
  readonly begun: number[]
  failed: number
}

export interface WorkerCounts {
  readonly type: string
  readonly own: OwnCounts
  readonly metrics: Outcomes & { readonly received: number }
  readonly inFlight: number
}

export async function startCrew(
  size: number,
  parameters: Omit<ChainWorkerParameters, 'ledger' | 'downWhile'>,
  random: () => number,
): Promise<Crew> {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-chain-'))
  const downWhile = join(folder, 'the bank is down')
  await writeFile(downWhile, '')
  let started = 0
  const start = async (): Promise<WorkerProcess> => {
    const worker = startWorker(module, {
      ...parameters,
      downWhile,
      ledger: join(folder, `${(started += 1)}.ledger`),
    })
    await worker.waitFor('ready', 60_000)
    return worker
  }
  const workers = await Promise.all(Array.from({ length: size }, start))

  return {
    async kill() {
      const index = Math.floor(random() * workers.length)
      await workers[index]?.kill()
      workers[index] = await start()
    },
    bankIsUp: () => rm(downWhile),
    async attempts() {
      const found = new Map<string, Attempts>()
      for (const file of (await readdir(folder)).filter((name) => name.endsWith('.ledger'))) {
        for await (const { id, attempt, what } of readLedger(join(folder, file))) {
          const attempts = found.get(String(id)) ?? { begun: [], failed: 0 }
          if (what === 'begun') attempts.begun.push(Number(attempt))
          else attempts.failed += 1
          found.set(String(id), attempts)
        }
      }
      return found
    },
    counts: () =>
      Promise.all(
        workers.map((worker) => {
          worker.tell({ type: 'count' })
          return worker.waitFor<WorkerCounts>('counts')
        }),
      ),
    async end() {
      await Promise.all(workers.map((worker) => worker.kill()))
      await rm(folder, { recursive: true })
    },
  }
}
