import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Transport } from '@posthorn/transport'
import { Member } from './crew/member.ts'
import { findBroken } from './broken.ts'
import { bringFaults } from './faults/bring-faults.ts'
import type { FaultRecord } from './faults/fault-log.ts'
import { planFaults } from './faults/fault-plan.ts'
import { judge, type Verdict } from './judge/judge.ts'
import { watchMemory, type MemoryWatch } from './memory-watch.ts'
import { findBroker, type SoakServer } from './soak-broker.ts'
import { queue } from './soak-queue.ts'

export interface SoakOptions {
  /** As in `npm run soak -- rabbitmq`. */
  readonly broker: string
  /** Of the server, as the test servers name it. Default: whichever can be had. */
  readonly version?: string | undefined
  readonly messages: number
  /** How often the server is killed. */
  readonly restarts: number
  readonly seed: number
  /** The workers want the messages of each key in order. */
  readonly ordered: boolean
  /** Freezes and silences stay short. */
  readonly quick: boolean
  readonly onProgress?: (progress: SoakProgress) => void
}

export interface SoakProgress {
  readonly confirmed: number
  readonly handled: number
  readonly faults: number
}

/** What a soak came to. */
export interface SoakResult {
  readonly server: string
  readonly verdict: Verdict
  readonly faults: readonly FaultRecord[]
  /** What was still on the broker at the end, by the name of its place. */
  readonly left: Readonly<Record<string, number>>
  /** Processes that ended by themselves, with what they wrote. */
  readonly crashes: readonly string[]
  /** It was given up because nothing moved any more. */
  readonly stalled: boolean
  /** From the first send until the broker was empty. Milliseconds. */
  readonly tookMs: number
  /** The folder with all ledgers, for whoever looks for the cause; it is not removed when a promise was broken. */
  readonly folder: string
  /** The largest resident memory seen of each process. Bytes. */
  readonly memory: Readonly<Record<string, number>>
}

const producerCount = 2
const workerCount = 3
/** Messages sent before the workers have handled as many: the queue is never empty, and never long. */
const mayBeAhead = 6_000
const lookEveryMs = 100
const stalledMs = 120_000

/** Runs a soak on a server of its own, and counts. Rejects with `ServerUnavailable` when there is none to be had. */
export async function runSoak(options: SoakOptions): Promise<SoakResult> {
  const broker = await findBroker(options.broker)
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-soak-'))
  const server = await broker.start(options.version)
  const memory = watchMemory()
  let isKept = false
  let crew: readonly Member[] = []
  let observer: Transport | undefined
  try {
    observer = await broker.connect(server.url)
    await observer.declare({ queues: [{ name: queue, order: options.ordered ? 'key' : 'none' }] })
    await server.sync()
    crew = await startCrew(options, server, folder)
    const result = await watchOver({ options, server, crew, observer, memory, folder })
    isKept = findBroken(result).length > 0
    if (isKept) await writeFile(join(folder, 'faults.json'), JSON.stringify(result.faults, undefined, 2))
    return result
  } finally {
    memory.stop()
    await Promise.all(crew.map(async (member) => member.close()))
    await observer?.close({ deadlineMs: 0 })
    await server.stop()
    if (!isKept) await rm(folder, { recursive: true })
  }
}

async function startCrew(
  { broker, messages, ordered }: SoakOptions,
  { url }: SoakServer,
  folder: string,
): Promise<readonly Member[]> {
  const start = async (kind: 'producer' | 'worker', place: number): Promise<Member> => {
    const name = `${kind}-${place + 1}`
    const ledger = join(folder, name)
    return Member.start(name, kind, {
      broker,
      url,
      ledger,
      messages,
      producers: producerCount,
      place,
      ordered,
    })
  }
  return Promise.all([
    ...Array.from({ length: producerCount }, async (_, place) => start('producer', place)),
    ...Array.from({ length: workerCount }, async (_, place) => start('worker', place)),
  ])
}

interface Scene {
  readonly options: SoakOptions
  readonly server: SoakServer
  readonly crew: readonly Member[]
  readonly observer: Transport
  readonly memory: MemoryWatch
  readonly folder: string
}

async function watchOver({ options, server, crew, observer, memory, folder }: Scene): Promise<SoakResult> {
  const { messages, onProgress } = options
  const producers = crew.filter(({ name }) => name.startsWith('producer'))
  const workers = crew.filter(({ name }) => name.startsWith('worker'))
  const sum = (members: readonly Member[]): number => members.reduce((total, { count }) => total + count, 0)
  memory.add('server', () => server.pid)
  memory.add('judge', () => process.pid)
  for (const member of crew) memory.add(member.name, () => (member.isDone ? undefined : member.process.pid))

  const faults: FaultRecord[] = []
  const enough = new AbortController()
  const bringing = bringFaults(planFaults(options), {
    server,
    producers,
    workers,
    signal: enough.signal,
    progress: () => sum(workers) / messages,
    onFault: (fault) => faults.push(fault),
  })
  let faultsAreOver = false
  void bringing.finally(() => (faultsAreOver = true))

  const startedAt = performance.now()
  let moved = { at: startedAt, state: '' }
  const isMoving = (): boolean => {
    const state = `${sum(crew)} ${faults.length}`
    if (state !== moved.state) moved = { at: performance.now(), state }
    return performance.now() - moved.at < stalledMs
  }
  /** Nothing is left to send or to hand out, as far as one can see without asking much. */
  const isQuiet = async (): Promise<boolean> => {
    if (!producers.every(({ isDone }) => isDone) || sum(workers) < messages) return false
    const depth = await observer.depth(queue).catch(() => undefined)
    return depth?.ready === 0
  }

  let left: SoakResult['left'] = {}
  let stalled = false
  for (let empty = false; !empty && !stalled;) {
    await sleep(lookEveryMs)
    for (const producer of producers) producer.allow(sum(workers) + mayBeAhead)
    onProgress?.({ confirmed: sum(producers), handled: sum(workers), faults: faults.length })
    stalled = !isMoving()
    // The counts of a killed worker are a little behind, so in the end the broker has the last word.
    const ended = producers.every(({ isDone }) => isDone) && performance.now() - moved.at > 5_000
    if (!(await isQuiet()) && !ended) continue
    enough.abort()
    if (!faultsAreOver) continue
    left = await server.contents()
    empty = Object.keys(left).length === 0
  }
  const tookMs = performance.now() - startedAt
  enough.abort()
  await bringing
  if (!stalled) await Promise.all(workers.map(async (worker) => worker.stop()))
  left = await server.contents()

  const verdict = await judge({
    messages,
    sent: producers.map(({ ledger }) => ledger),
    handled: workers.map(({ ledger, name }) => ({ path: ledger, name })),
    faults,
    ordered: options.ordered,
  })
  return {
    server: server.name,
    verdict,
    faults,
    left,
    stalled,
    folder,
    tookMs,
    crashes: crew.flatMap(({ crashes }) => crashes),
    memory: memory.largest(),
  }
}
