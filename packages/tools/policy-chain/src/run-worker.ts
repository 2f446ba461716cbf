import { createBreaker, type Breaker } from '@posthorn/circuit-breaker'
import { retry } from '@posthorn/dlq-retry'
import { createMetrics, type Metrics } from '@posthorn/metrics'
import { createTransport } from '@posthorn/transport/driver'
import { createWorkQueue, type Worker } from '@posthorn/work-queue'
import type { Middleware } from '@posthorn/transport'
import { faultyDriver } from './faulty-driver.ts'
import { copyOf, type Journal } from './journal.ts'
import { counted, OwnCounts } from './own-counts.ts'
import { queue, type Stage } from './stage.ts'
import type { TaskMap } from './tasks.ts'
import type { ChainProcess } from './chain-process.ts'
import type { Form } from './form.ts'

export const maxAttempts = 3

/** What a broken variant has in the chain instead. */
export interface ChainBreak {
  readonly guard?: (breaker: Breaker) => Middleware
  readonly observe?: (metrics: Metrics) => Middleware
}

/** A worker with the whole chain, in one process. */
export interface RunningWorker {
  readonly process: ChainProcess
  readonly metrics: Metrics
  readonly worker: Worker
  readonly own: OwnCounts
}

export async function runWorker(
  stage: Stage,
  process: ChainProcess,
  form: Form,
  broken: ChainBreak,
): Promise<RunningWorker> {
  const { journal } = stage
  const { clock } = process
  const metrics = createMetrics()
  const last = form.open(process)
  const transport = await createTransport(faultyDriver(stage, process), {
    clock,
    publishUse: [metrics.publishUse],
  })
  metrics.watch(transport, { pollMs: 3_600_000 })
  transport.on('handlerTimedOut', ({ id }) => journal.timedOut.add(id))
  transport.on('leaseLost', ({ id }) => journal.lost.add(id))
  const bank = createBreaker({
    name: 'bank',
    minimumCalls: 2,
    resetMs: 1_000,
    jitter: 'none',
    record: (error) => (error as { readonly code?: unknown }).code !== 'declined',
    clock,
  })
  bank.onChange(({ to }) => {
    if (to === 'open') journal.opened += 1
  })
  metrics.watchBreaker(bank)
  last.started?.(transport)
  const own = new OwnCounts()
  const worker = await createWorkQueue<TaskMap>(transport, queue).work(
    { pay: last.handler, mail: last.handler },
    {
      use: [
        counted(own),
        broken.observe?.(metrics) ?? metrics.use,
        retry({
          maxAttempts,
          backoff: 500,
          jitter: 'none',
          when: [{ codes: 'declined', retry: false, reason: 'declined' }],
        }),
        forgiveness(journal),
        broken.guard?.(bank) ?? bank.consume({ types: 'pay' }),
        ...last.once,
      ],
      concurrency: 2,
      handlerTimeoutMs: 20_000,
    },
  )
  return { process, metrics, worker, own }
}

/** Stands before the breaker, and notes what threw behind it and was released by it. */
function forgiveness(journal: Journal): Middleware {
  return {
    name: 'forgiveness',
    phase: 'guard',
    wrap: (next) => async (message, context) => {
      const copy = copyOf(message)
      const before = journal.thrown.of(copy)
      const settlement = await next(message, context)
      if (settlement.verb === 'release' && journal.thrown.of(copy) > before) journal.forgiven.add(copy)
      return settlement
    },
  }
}
