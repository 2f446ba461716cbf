import type { ConsumeOptions } from '../contract/consume-options.ts'
import { custom, type Rule } from './rules.ts'

/** Lets anything through: an option that is checked where it goes to. */
export const passedOn: Rule = custom('', () => true)

/** The options of a consumer, for factories that hand them on to `consume` or `subscribe`, which check them. */
export const consumeOptionsPassedOn: Readonly<Record<keyof ConsumeOptions, Rule>> = {
  concurrency: passedOn,
  prefetch: passedOn,
  use: passedOn,
  order: passedOn,
  whileRetrying: passedOn,
  maxAttempts: passedOn,
  retryDelay: passedOn,
  maxDeliveries: passedOn,
  handlerTimeoutMs: passedOn,
  maxBytes: passedOn,
  name: passedOn,
}
