// One process of the shop, when it is a real one.
import { join } from 'node:path'
import { connectWorker } from '@posthorn/test-brokers'
import { connect } from '@posthorn/transport'
import { systemClock } from '@posthorn/transport/driver'
import { closeProcess, countedEvents } from './staff.ts'
import type { ServiceMessage, ServiceOrder, ServiceParameters } from './service-messages.ts'
import { createSharedClaims } from '../faults/claims.ts'
import { readPlan } from '../faults/plan-file.ts'
import { strikeWhilePublishing } from '../faults/strike-while-publishing.ts'
import { createTrouble } from '../faults/trouble.ts'
import { createLedger } from '../outside/ledger.ts'
import { createLife } from '../outside/life.ts'
import { createOutside } from '../outside/outside.ts'
import { createRealWork } from '../outside/real-work.ts'
import { processes } from '../services/processes.ts'

const worker = connectWorker<ServiceParameters>()
const { name, url, namespace, folder, pictures, plan: planFile } = worker.parameters
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

const plan = readPlan(planFile)
const claims = createSharedClaims(join(folder, 'claims'))
const trouble = createTrouble(plan, { crash: () => strike('crash'), cut: () => strike('cut') }, claims)
const clock = systemClock
const ledger = createLedger(join(folder, 'ledger.jsonl'), clock)
const stage = { folder, pictures, clock, ledger, trouble, realWork: createRealWork() }
const life = createLife(name, () => undefined)

const transport = await connect(url, {
  namespace,
  load: (driver) => import(driver),
  publishUse: [strikeWhilePublishing(plan, claims, () => strike('cut'))],
})
for (const event of countedEvents) transport.on(event, () => void tell({ type: 'event', event }))
await processes.get(name)?.(transport, createOutside(stage, life))
await tell({ type: 'up' })
await stopped
await tell({ type: 'closed', ...(await closeProcess(transport)) })
process.disconnect()
