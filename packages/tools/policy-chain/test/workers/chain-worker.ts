// A worker with the whole chain, to be killed at any moment; what its handlers do it writes down before they go on.
import { existsSync } from 'node:fs'
import { createBreaker } from '@posthorn/circuit-breaker'
import { retry } from '@posthorn/dlq-retry'
import { createMetrics } from '@posthorn/metrics'
import { rabbitmq } from '@posthorn/rabbitmq'
import { connectWorker, openLedger } from '@posthorn/test-brokers'
import { createWorkQueue } from '@posthorn/work-queue'
import { openLeaseStage } from './lease-stage.ts'
import { openInboxStage } from './inbox-stage.ts'
import { outcomesOf } from '../../src/outcomes-of.ts'
import { counted, OwnCounts } from '../../src/own-counts.ts'
import { fateOf, type RealTasks } from './real-tasks.ts'
import type { Context, Message } from '@posthorn/transport'

export interface ChainWorkerParameters {
  readonly form: 'lease' | 'inbox'
  readonly rabbitmq: string
  readonly store: string
  readonly queue: string
  readonly ledger: string
  /** While there is such a file, the bank is down. */
  readonly downWhile: string
}

const test = connectWorker<ChainWorkerParameters>()
const { parameters } = test
const { form, queue, downWhile } = parameters
const ledger = await openLedger(parameters.ledger)
const metrics = createMetrics()
const transport = await rabbitmq({ url: parameters.rabbitmq, publishUse: [metrics.publishUse] })
const bank = createBreaker({
  name: 'bank',
  minimumCalls: 4,
  resetMs: 300,
  record: (error) => (error as Partial<Failure>).code === 'bank is down',
})

class Failure extends Error {
  readonly code: string

  constructor(code: string) {
    super(code)
    this.code = code
  }
}

async function handle(message: Message, context: Context, effect: () => Promise<void>): Promise<void> {
  const { id, type } = message
  const { attempt } = context
  await ledger.record({ id, attempt, what: 'begun' })
  const fate = fateOf(id)
  const code = type === 'pay' && existsSync(downWhile) ? 'bank is down' : fate
  if (code !== 'done') {
    await ledger.record({ id, attempt, what: 'failed' })
    throw new Failure(code)
  }
  await someTime()
  await effect()
  await someTime()
}

/** So that a kill finds it in the middle of something. */
async function someTime(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 5 + 20 * Math.random()))
}

const own = new OwnCounts()
const stage =
  form === 'lease'
    ? await openLeaseStage(parameters.store, handle)
    : await openInboxStage(parameters.store, transport, handle)
const { handler } = stage
await createWorkQueue<RealTasks>(transport, queue).work(
  { pay: handler, mail: handler },
  {
    use: [
      counted(own),
      metrics.use,
      retry({
        maxAttempts: 3,
        backoff: 100,
        when: [{ codes: 'declined', retry: false, reason: 'declined' }],
      }),
      bank.consume({ types: 'pay' }),
      ...stage.use,
    ],
    concurrency: 5,
    // While the breaker is open, what is beyond half of it goes back for up to a minute.
    prefetch: 40,
  },
)
test.onMessage(() => {
  const { received, inFlight } = metrics.getStats()
  void test.tell({ type: 'counts', own, metrics: { received, ...outcomesOf(metrics) }, inFlight })
})
await test.tell({ type: 'ready' })
