import type { Next } from '../contract/middleware.ts'
import { Batcher } from './batcher.ts'
import { compose, defaultRetry, terminal } from './chain.ts'
import type { ConsumeSettings } from './consume-settings.ts'
import { middlewareRuntime, type MiddlewareAccess } from './middleware-runtime.ts'
import type { Run } from './run.ts'

export interface HandlerStages {
  /** Takes a message through all stages. */
  readonly next: Next
  /** The last one, where several messages are handled at a time. */
  readonly batcher: Batcher | undefined
}

/** The middleware of a consumer, the default retry policy where it has none, and its handler. */
export function handlerStages(
  settings: ConsumeSettings,
  access: MiddlewareAccess,
  begun: (run: Run) => void,
): HandlerStages {
  const { handler, middleware, batchMax, batchWaitMs } = settings
  const { source, clock } = access.host
  const batcher =
    handler.kind === 'single'
      ? undefined
      : new Batcher({
          source,
          clock,
          begun,
          handler: handler.call,
          max: batchMax,
          waitMs: batchWaitMs,
          concurrency: () => settings.concurrency,
        })
  const last = handler.kind === 'single' ? terminal(handler.call) : (batcher as Batcher).next
  const needsPolicy = middleware.length > 0 && !middleware.some((one) => one.phase === 'retry')
  const at = middleware.findLastIndex((one) => one.phase === 'observe') + 1
  const stages = needsPolicy ? middleware.toSpliced(at, 0, defaultRetry) : middleware
  return { batcher, next: compose(stages, last, (one) => middlewareRuntime(one, access)) }
}
