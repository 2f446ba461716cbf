import type { Transport, TransportEvents } from '@posthorn/transport'
import { readDepths, sources } from './depths.ts'
import { exportDeadLetters } from './export-dead-letters.ts'
import { sleep } from './run-parts.ts'
import type { RunParts } from './run-parts.ts'
import type { ShopBroker } from './shop-broker.ts'
import { createSupervisor } from './supervisor.ts'
import { untilIdle } from './until-idle.ts'
import type { Outside } from '../outside/outside.ts'
import { startAnalyticsService } from '../services/analytics-service.ts'
import { startEmailService } from '../services/email-service.ts'
import { addImages, addReports, takeOrder } from '../services/intake.ts'
import { startInventoryService } from '../services/inventory-service.ts'
import { startOrderService } from '../services/order-service.ts'
import { startPaymentService } from '../services/payment-service.ts'
import { startWorker } from '../services/worker.ts'

type Start = (transport: Transport, outside: Outside) => Promise<unknown>

/** The processes of the shop, each with a connection of its own. */
const processes: readonly (readonly [string, Start])[] = [
  ['order', (transport) => startOrderService(transport)],
  ['inventory', (transport, { warehouse }) => startInventoryService(transport, warehouse)],
  ['payment', (transport, { payments }) => startPaymentService(transport, payments)],
  ['email', (transport, { customers }) => startEmailService(transport, customers)],
  ['analytics', (transport, { sales }) => startAnalyticsService(transport, sales)],
  ['worker-1', startWorker],
  ['worker-2', startWorker],
  ['worker-3', startWorker],
]

export interface PosthornReport {
  /** Lines handed over. */
  readonly published: number
  readonly restarts: number
  /** What the services' transports told of: attempts that failed, connections lost, leases lost. */
  readonly events: Readonly<Record<CountedEvent, number>>
  /** Of a run that was ended early. */
  readonly left: Left | undefined
}

export interface Left {
  /** Messages at each source that were not done with. */
  readonly queued: Readonly<Record<string, number>>
  /** Handlers that were cut off. */
  readonly unfinished: number
  /** Messages sent without an answer. */
  readonly unconfirmed: number
}

const countedEvents = ['retried', 'deadLettered', 'leaseLost'] as const
type CountedEvent = (typeof countedEvents)[number] & keyof TransportEvents

const closeDeadlineMs = 5_000

/** Runs all services over all lines until nothing is left to do, or until it is told to end. */
export async function runPosthornVersion(
  broker: ShopBroker,
  parts: RunParts,
  folder: string,
): Promise<PosthornReport> {
  const { clock, lines, signal } = parts
  const supervisor = createSupervisor(clock)
  const events = { retried: 0, deadLettered: 0, leaseLost: 0 }
  const cutOff = { unfinished: 0, unconfirmed: 0 }
  for (const [name, start] of processes) {
    await supervisor.start(name, async (life) => {
      const transport = await broker.connect(name)
      for (const event of countedEvents) transport.on(event, () => life.alive && events[event]++)
      await start(transport, parts.outside(life))
      return {
        async close() {
          // Nothing of a process that has crashed can be waited for.
          if (!life.alive) return void transport.close({ deadlineMs: 0 })
          const report = await transport.close({ deadlineMs: closeDeadlineMs })
          cutOff.unconfirmed += report.unconfirmed
          for (const { unfinished } of report.consumers) cutOff.unfinished += unfinished.length
        },
      }
    })
  }

  const office = await broker.connect('office')
  await addImages(office)
  let published = 0
  for (const line of lines) {
    if (signal.aborted) break
    await takeOrder(office, line, published + 1)
    parts.onLine(++published)
    await sleep(clock, parts.paceMs)
  }
  await untilIdle(office, parts)
  if (!signal.aborted) await addReports(office)
  await untilIdle(office, parts)

  await supervisor.stop()
  const queued = await readDepths(office)
  await exportDeadLetters(office, sources, folder)
  await office.close()
  return {
    published,
    restarts: supervisor.restarts,
    events,
    left: signal.aborted ? { queued, ...cutOff } : undefined,
  }
}
