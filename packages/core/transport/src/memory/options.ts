import {
  checkOptions,
  duration,
  flag,
  oneOf,
  required,
  shape,
  text,
  wholeNumber,
} from '../options/check-options.ts'
import { transportRules } from '../options/transport-rules.ts'
import { PosthornError } from '../errors.ts'
import type { Rule } from '../options/check-options.ts'
import type { Clock } from '../contract/clock.ts'

/** Each delivery is held for a time of its own, and renewed. */
export interface DeliveryLease {
  readonly scope: 'delivery'
  /** Milliseconds. Whole number from 1. */
  readonly durationMs: number
}

/** Deliveries are held as long as their consumer is connected. */
export interface SessionLease {
  readonly scope: 'session'
  /** Milliseconds from the arrival of a delivery until its scope is taken back. Default: no bound. */
  readonly maxHoldMs?: number
}

export interface TopicHistory {
  /** Messages that each topic keeps for groups that start in the past. Default 10,000. */
  readonly maxMessages: number
  /** Bytes of their bodies. Default 16,777,216 (16 MiB). */
  readonly maxBytes: number
}

/**
 * Without options every feature is native. Each can be narrowed, so that a program can be tested against a broker that
 * lacks it; the capabilities say so.
 */
export interface MemoryBrokerOptions {
  /** Time and randomness. Default: the system's. */
  readonly clock?: Clock
  /** Default: per delivery, 30,000 ms. */
  readonly lease?: DeliveryLease | SessionLease
  /** `counted`: a release looks like a crash, since the broker cannot note it. Default `uncounted`. */
  readonly release?: 'counted' | 'uncounted'
  /** `false`: neither delayed messages nor a delay before the next attempt. Default true. */
  readonly delay?: boolean
  /** The longest `delayMs` of a message that is sent. Milliseconds, from 1. Default: no limit. */
  readonly maxDelayMs?: number
  /** `false`: all messages have one priority. Default true. */
  readonly priority?: boolean
  /** `false`: a repeated id is stored again. Default true. */
  readonly deduplication?: boolean
  /** `false`: neither ephemeral subscriptions nor inboxes. Default true. */
  readonly ephemeral?: boolean
  /** `false`: consumers cannot ask for order by key. Default true. */
  readonly keyOrder?: boolean
  /** `false`: what a consumer holds cannot be changed, so a crash forgets the attempts that it made meanwhile. Default true. */
  readonly holdKey?: boolean
  /** `client`: groups get everything that is published, and the driver filters. Default `broker`. */
  readonly patterns?: 'broker' | 'client'
  /** `false`: hand-outs are not counted. Default true. */
  readonly deliveryCount?: boolean
  /**
   * `false`: the broker's hand-outs are the attempts, so crashes and releases, which are `counted` then, spend them, too.
   * Not together with `deliveryCount: false`. Default true.
   */
  readonly attemptCount?: boolean
  /** `false`: groups cannot start in the past. Default: as the fields of `TopicHistory` say. */
  readonly history?: TopicHistory | false
  /**
   * Splits each source into this many shards by key (messages without one in turns). Each belongs to one consumer at a
   * time, and moves when consumers come and go. Whole number from 1. Default: none.
   */
  readonly shards?: number
  /** `fixed`: a change of a window counts as dear. Default `dynamic`. */
  readonly flow?: 'fixed' | 'dynamic'
  /** `sent`: settlements are not answered, as an AMQP ack. Default `confirmed`. */
  readonly confirm?: 'confirmed' | 'sent'
  /** Bytes of one body. Default 16,777,216 (16 MiB). */
  readonly maxBodyBytes?: number
  /** Bytes of one message's header names and values. Default 65,536. */
  readonly maxHeaderBytes?: number
  /** Messages in one batch. Default 1,000. */
  readonly maxBatch?: number
  /** Bytes of the bodies in one batch. Default 16,777,216 (16 MiB). */
  readonly maxBatchBytes?: number
  /** What the broker says its version is. Default `1`. */
  readonly version?: string
}

/** All options, with their defaults. */
export interface MemorySettings {
  readonly lease: DeliveryLease | SessionLease
  readonly release: 'counted' | 'uncounted'
  readonly delay: boolean
  readonly maxDelayMs: number
  readonly priority: boolean
  readonly deduplication: boolean
  readonly ephemeral: boolean
  readonly keyOrder: boolean
  readonly holdKey: boolean
  readonly patterns: 'broker' | 'client'
  readonly deliveryCount: boolean
  readonly attemptCount: boolean
  readonly history: TopicHistory | false
  readonly shards: number | undefined
  readonly flow: 'fixed' | 'dynamic'
  readonly confirm: 'confirmed' | 'sent'
  readonly maxBodyBytes: number
  readonly maxHeaderBytes: number
  readonly maxBatch: number
  readonly maxBatchBytes: number
  readonly version: string
}

export const memoryDefaults: MemorySettings = {
  lease: { scope: 'delivery', durationMs: 30_000 },
  release: 'uncounted',
  delay: true,
  maxDelayMs: Infinity,
  priority: true,
  deduplication: true,
  ephemeral: true,
  keyOrder: true,
  holdKey: true,
  patterns: 'broker',
  deliveryCount: true,
  attemptCount: true,
  history: { maxMessages: 10_000, maxBytes: 16_777_216 },
  shards: undefined,
  flow: 'dynamic',
  confirm: 'confirmed',
  maxBodyBytes: 16_777_216,
  maxHeaderBytes: 65_536,
  maxBatch: 1_000,
  maxBatchBytes: 16_777_216,
  version: '1',
}

const positive = wholeNumber({ min: 1 })

const leaseScope = required(oneOf('delivery', 'session'))
const deliveryLease = shape({ scope: leaseScope, durationMs: required(positive) })
const sessionLease = shape({ scope: leaseScope, maxHoldMs: positive })
const history = shape({ maxMessages: required(wholeNumber()), maxBytes: required(wholeNumber()) })

const rules: Readonly<Record<keyof MemoryBrokerOptions, Rule>> = {
  clock: transportRules['clock'] as Rule,
  lease: {
    check(value, place) {
      const scope = (value as { readonly scope?: unknown } | null)?.scope
      const lease = scope === 'session' ? sessionLease : deliveryLease
      lease.check(value, place)
    },
  },
  release: oneOf('counted', 'uncounted'),
  delay: flag(),
  maxDelayMs: duration({ min: 1 }),
  priority: flag(),
  deduplication: flag(),
  ephemeral: flag(),
  keyOrder: flag(),
  holdKey: flag(),
  patterns: oneOf('broker', 'client'),
  deliveryCount: flag(),
  attemptCount: flag(),
  history: {
    check(value, place) {
      if (value !== false) history.check(value, place)
    },
  },
  shards: positive,
  flow: oneOf('fixed', 'dynamic'),
  confirm: oneOf('confirmed', 'sent'),
  maxBodyBytes: positive,
  maxHeaderBytes: wholeNumber(),
  maxBatch: positive,
  maxBatchBytes: positive,
  version: text({ max: 100 }),
}

/** Checks the options and fills in the defaults. */
export function readMemoryOptions(options: MemoryBrokerOptions): MemorySettings {
  checkOptions('createMemoryBroker()', options, rules)
  const given = Object.entries(options).filter(([name, value]) => value !== undefined && name !== 'clock')
  const settings: MemorySettings = { ...memoryDefaults, ...Object.fromEntries(given) }
  if (settings.attemptCount) return settings
  if (settings.deliveryCount) return { ...settings, release: 'counted' }
  throw new PosthornError(
    'POSTHORN_INVALID_OPTION',
    'createMemoryBroker() cannot have both attemptCount and deliveryCount false: attempts would be counted nowhere.',
    { phase: 'options' },
  )
}
