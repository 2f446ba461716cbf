// One process of the shop, when it is a real one.
import { join } from 'node:path'
import { createMetrics } from '@posthorn/metrics'
import { connectWorker } from '@posthorn/test-brokers'
import { connect } from '@posthorn/transport'
import { systemClock } from '@posthorn/transport/driver'
import { serveMetricsPage } from './serve-metrics.ts'
import { startProcess } from './staff.ts'
import type { ServiceMessage, ServiceOrder, ServiceParameters } from './service-messages.ts'
import { createClaims } from '../faults/claims.ts'
import { readPlan } from '../faults/plan-file.ts'
import { strikeWhilePublishing } from '../faults/strike-while-publishing.ts'
import { createTrouble } from '../faults/trouble.ts'
import { openChargeDatabase } from '../outside/charge-database.ts'
import { createLedger } from '../outside/ledger.ts'
import { createLife } from '../outside/life.ts'
import { createOutside } from '../outside/outside.ts'
import { createRealWork } from '../outside/real-work.ts'

const worker = connectWorker<ServiceParameters>()
const { name, url, namespace, folder, pictures, metricsPort, plan: planFile } = worker.parameters
const tell = (message: ServiceMessage): Promise<void> => worker.tell(message)
const waiting: (() => void)[] = []
let stop!: () => void
const stopped = new Promise<void>((resolve) => {
  stop = resolve
})

// Ctrl-C in the terminal reaches every process; what is to be done then, the first one says.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined)
worker.onMessage<ServiceOrder>(({ type }) => {
  if (type === 'struck') waiting.shift()?.()
  else stop()
})

/** Resolves when it has happened; after a kill that is never. */
async function strike(kind: 'crash' | 'cut'): Promise<void> {
  const struck = new Promise<void>((resolve) => waiting.push(resolve))
  await tell({ type: 'strike', kind })
  await struck
}

const clock = systemClock
const plan = readPlan(planFile)
const claims = createClaims(join(folder, 'claims'), clock)
const striker = { crash: () => strike('crash'), cut: () => strike('cut') }
const trouble = createTrouble({ plan, striker, claims, clock })
const ledger = createLedger(join(folder, 'ledger.jsonl'), clock)
const charges = await openChargeDatabase(folder)
const outside = createOutside(
  { folder, pictures, clock, ledger, trouble, charges, realWork: createRealWork() },
  createLife(name, () => undefined),
)

const metrics = createMetrics()
const page = metricsPort === undefined ? undefined : await serveMetricsPage(metrics, metricsPort)
const transport = await connect(url, {
  namespace,
  load: (driver) => import(driver),
  publishUse: [metrics.publishUse, strikeWhilePublishing(plan, claims, () => strike('cut'))],
})
const close = await startProcess(name, {
  transport,
  metrics,
  outside,
  onEvent: (event) => void tell({ type: 'event', event }),
})
await tell({ type: 'up', metrics: page?.url })
await stopped
await tell({ type: 'closed', ...(await close()) })
await page?.close()
process.disconnect()
