import { randomUUID } from 'node:crypto'
import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { format } from 'node:util'
import { sources } from './depths.ts'
import { exportDeadLetters } from './dead-letters.ts'
import { sleep } from './run-parts.ts'
import type { RunParts } from './run-parts.ts'
import type { MemoryShopBroker } from './shop-broker.ts'
import { createSupervisor } from './supervisor.ts'
import { connectNaively } from '../naive/naive-broker.ts'
import {
  addImages,
  addReports,
  EventBus,
  MessageMetrics,
  OrderService,
  PaymentService,
  startAnalyticsService,
  startEmailService,
  startInventoryService,
  TaskQueue,
} from '../naive-version.ts'
import type { NaiveParts } from '../naive-version.ts'
import { createLife } from '../outside/life.ts'
import type { Life } from '../outside/life.ts'
import type { Outside } from '../outside/outside.ts'

type Start = (parts: NaiveParts, outside: Outside) => Promise<void>

const startPayment: Start = (parts, outside) => new PaymentService(new EventBus(parts)).initialize(outside)
const startWorker: Start = (parts, outside) => new TaskQueue(parts).startWorker(outside)

/** The same processes, under the same names. */
const processes: readonly (readonly [string, Start])[] = [
  ['inventory', (parts, outside) => startInventoryService(new EventBus(parts), outside)],
  ['payment-1', startPayment],
  ['payment-2', startPayment],
  ['email', (parts, outside) => startEmailService(new EventBus(parts), new TaskQueue(parts), outside)],
  ['analytics', (parts, outside) => startAnalyticsService(new EventBus(parts), outside)],
  ['worker-1', startWorker],
  ['worker-2', startWorker],
  ['worker-3', startWorker],
]

export interface NaiveReport {
  readonly published: number
  readonly restarts: number
  /** What its own metrics say at the end. */
  readonly metrics: {
    readonly sent: number
    readonly received: number
    readonly failed: number
    readonly retried: number
    readonly duplicates: number
    readonly inFlight: number
  }
}

/** It has come to rest when for so long nothing was done but failing. */
const restMs = 1_500
const lookEveryMs = 50

/** Runs the naive version on the bare driver of the broker, until it has come to rest. */
export async function runNaiveVersion(
  broker: MemoryShopBroker,
  parts: RunParts,
  folder: string,
): Promise<NaiveReport> {
  const { clock, ledger, lines, signal } = parts
  const supervisor = createSupervisor(clock)
  const metrics = new MessageMetrics()
  const logFile = openSync(join(folder, 'log.txt'), 'a')
  let isLogOpen = true
  // What it has begun may end after it was told to stop.
  const log = (...words: unknown[]): void => {
    if (isLogOpen) writeSync(logFile, format(...words) + '\n')
  }
  const connect = async (life: Life): Promise<NaiveParts> => {
    // Nobody listens for the loss, so it ends the process, and whoever watches over that starts it again.
    const naive = await connectNaively(broker.driver(life.name), { clock, onLost: () => life.end() })
    return { broker: naive, metrics, console: { log, error: log }, generateId: randomUUID }
  }
  const untilRest = async (): Promise<void> => {
    const since = clock.now()
    while (!signal.aborted && clock.now() - Math.max(since, ledger.lastEffectAt) < restMs)
      await sleep(clock, lookEveryMs)
  }

  for (const [name, start] of processes) {
    await supervisor.start(name, async (life) => {
      const naive = await connect(life)
      await start(naive, parts.outside(life))
      return naive.broker
    })
  }
  const office = await connect(createLife('order', () => undefined))
  const orders = new OrderService(new EventBus(office))
  const tasks = new TaskQueue(office)
  await addImages(tasks)
  let published = 0
  for (const line of lines) {
    if (signal.aborted) break
    await orders.receive(line)
    if (parts.isSentTwice(line)) await orders.receive(line)
    parts.onLine(++published)
    await sleep(clock, parts.paceMs)
  }
  await untilRest()
  if (!signal.aborted) await addReports(tasks)
  await untilRest()

  await office.broker.close()
  await supervisor.stop()
  // Only to look at what it left on the broker.
  const observer = await broker.connect('office')
  await exportDeadLetters(
    observer,
    sources.filter((source) => source !== 'incoming-orders'),
    folder,
  )
  await observer.close()
  isLogOpen = false
  closeSync(logFile)
  const { sent, received, failed, retried, duplicates, processing } = metrics
  return {
    published,
    restarts: supervisor.restarts,
    metrics: { sent, received, failed, retried, duplicates, inFlight: processing.size },
  }
}
