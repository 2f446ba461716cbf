import { hostname } from 'node:os'
import { optionRules } from '@posthorn/transport/options'
import { consumerAndId, type MessageKey } from './message-key.ts'
import type { OnRepetition } from './on-repetition.ts'
import type { Store } from '@posthorn/store'
import type { Clock, Context, Message, Settlement } from '@posthorn/transport'

/** What is needed of a store; it may be of any kind. */
export type ClaimStore = Pick<Store, 'claims' | 'now' | 'name'>

export interface IdempotencyOptions {
  readonly store: ClaimStore
  /** Default: the consumer (the source's name) and the message's id. */
  readonly key?: MessageKey
  /**
   * Milliseconds after which what a process had begun when it died may begin again elsewhere; renewed while a handler runs.
   * Whole number from 1,000. Default 60,000.
   */
  readonly leaseMs?: number
  /**
   * Milliseconds for which a repetition is recognised, from the end of the first time. Longer than all retries and
   * whatever is replayed. Whole number from 1,000, ten years at most. Default 604,800,000 (7 days).
   */
  readonly retentionMs?: number
  /** Whether what a handler returns is kept, to be the answer of a repetition. JSON. Default false. */
  readonly storeResults?: boolean
  /** What becomes of a message whose key was used for another body. Default: a dead letter. */
  readonly onConflict?: (message: Message, context: Context) => Settlement
  /** Told of each message that was done before, and is acked without its handler. What it throws is warned of. */
  readonly onRepetition?: OnRepetition
  /** Who claims, as others see it in the store. Default: the host and the process. */
  readonly owner?: string
  /** Of `run`; consumers have their transport's. Default: the system's. */
  readonly clock?: Clock
}

export interface IdempotencySettings extends Required<
  Omit<IdempotencyOptions, 'clock' | 'onConflict' | 'onRepetition'>
> {
  readonly onConflict: IdempotencyOptions['onConflict'] | undefined
  readonly onRepetition: OnRepetition | undefined
}

const store = optionRules.custom(
  'a store of @posthorn/store',
  (value) => typeof (value as Partial<ClaimStore> | null)?.claims?.claim === 'function',
)

const owner = optionRules.custom(
  'a text of 1 to 512 characters, without NUL and halves of surrogate pairs',
  (value) =>
    typeof value === 'string' && /^[^\0]{1,512}$/.test(value) && Buffer.from(value).toString() === value,
)

/** As stores take it: what they refuse later would be found when the effect is there already. */
export const durationRule: optionRules.Rule = optionRules.wholeNumber({ min: 1_000, max: 315_360_000_000 })

export const clockRule: optionRules.Rule = optionRules.custom(
  'a clock',
  (value) => typeof (value as Partial<Clock> | null)?.setTimer === 'function',
)

export const storeRule: optionRules.Rule = optionRules.required(store)

const rules: Readonly<Record<keyof IdempotencyOptions, optionRules.Rule>> = {
  store: storeRule,
  key: optionRules.callback(),
  leaseMs: durationRule,
  retentionMs: durationRule,
  storeResults: optionRules.flag(),
  onConflict: optionRules.callback(),
  onRepetition: optionRules.callback(),
  owner,
  clock: clockRule,
}

export function idempotencySettings(options: IdempotencyOptions): IdempotencySettings {
  optionRules.checkOptions('idempotency()', options, rules)
  const {
    store: given,
    key = consumerAndId,
    leaseMs = 60_000,
    retentionMs = week,
    storeResults = false,
    owner = thisProcess(),
    onConflict,
    onRepetition,
  } = options
  return { store: given, key, leaseMs, retentionMs, storeResults, owner, onConflict, onRepetition }
}

/** Requests that a store takes at a time. */
export const maxBatch: number = 1_000

export const week: number = 7 * 86_400_000

export function thisProcess(): string {
  return `${hostname()}:${process.pid}`
}
