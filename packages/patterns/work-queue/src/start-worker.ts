import type { Handler, Transport } from '@posthorn/transport'
import { consumeOptionsPassedOn, optionRules, passedOn } from '@posthorn/transport/options'
import { rateLimit } from './rate-limit.ts'
import { watchWorker, type MutableCounts } from './watch-worker.ts'
import type { WorkOptions, Worker } from './worker.ts'

const { callback, checkOptions, duration, list, required, shape, wholeNumber } = optionRules

const workRules = {
  ...consumeOptionsPassedOn,
  // Gone through here, before it is handed on.
  use: list(passedOn),
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
