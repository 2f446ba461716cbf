import type { Handler, Transport } from '@posthorn/transport'
import { optionRules } from '@posthorn/transport/options'
import { rateLimit } from './rate-limit.ts'
import { watchWorker, type MutableCounts } from './watch-worker.ts'
import type { WorkOptions, Worker } from './worker.ts'

const { callback, checkOptions, custom, duration, list, required, shape, wholeNumber } = optionRules

/** Checked where they go to. */
const transportChecks = custom('', () => true)

const workRules = {
  concurrency: transportChecks,
  prefetch: transportChecks,
  use: list(transportChecks),
  order: transportChecks,
  whileRetrying: transportChecks,
  maxAttempts: transportChecks,
  retryDelay: transportChecks,
  maxDeliveries: transportChecks,
  handlerTimeoutMs: transportChecks,
  maxBytes: transportChecks,
  name: transportChecks,
  rateLimit: shape({ max: required(wholeNumber({ min: 1 })), perMs: required(duration({ min: 1 })) }),
  onDone: callback(),
  onFailed: callback(),
} satisfies Record<keyof WorkOptions, optionRules.Rule>

/** Consumes the queue with one handler for all tasks; what it does is counted in `totals` as well. */
export async function startWorker(
  transport: Transport,
  queue: string,
  handler: Handler,
  options: WorkOptions,
  totals: MutableCounts,
): Promise<Worker> {
  checkOptions(`work(${JSON.stringify(queue)})`, options, workRules)
  const { rateLimit: limit, onDone, onFailed, use = [], name = `${queue} worker`, ...consuming } = options
  const { middleware, counts } = watchWorker(transport, queue, { onDone, onFailed }, totals)
  const limiting = limit === undefined ? [] : [rateLimit(limit)]
  const consumer = await transport.consume(queue, handler, {
    ...consuming,
    name,
    use: [...limiting, middleware, ...use],
  })
  return {
    source: consumer.source,
    get concurrency() {
      return consumer.concurrency
    },
    setConcurrency: (concurrency) => consumer.setConcurrency(concurrency),
    pause: (pauseOptions) => consumer.pause(pauseOptions),
    resume: (pauseOptions) => consumer.resume(pauseOptions),
    stats: () => ({ ...counts }),
    health: () => consumer.health(),
    stop: (stopOptions) => consumer.stop(stopOptions),
    [Symbol.asyncDispose]: () => consumer[Symbol.asyncDispose](),
  }
}
