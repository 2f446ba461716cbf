import { maxEphemeralMessages } from './connection.ts'
import type { MemorySettings } from './options.ts'
import type { Capabilities, Capability } from '../contract/capabilities.ts'

const native: Capability = { level: 'native' }

const unsupported = (alternative: string): Capability => ({ level: 'unsupported', alternative })

/** What a broker with these options can do. */
export function describeCapabilities(settings: MemorySettings): Capabilities {
  const { lease } = settings
  const delay = (longestMs: number): Capability =>
    settings.delay
      ? describeDelay(longestMs)
      : unsupported('wait before sending, or let the consumer hold the message')
  const noHistory = unsupported('declare the group before what it must get is published')
  const noKeys = unsupported("one consumer with order 'none' and concurrency 1")
  const noHold = unsupported("whileRetrying: 'overtake'")
  const uncounted =
    settings.release === 'uncounted' ? native : unsupported('pause the consumer, which spends nothing')
  const keyOrder: Capability =
    settings.shards === undefined
      ? {
          level: 'native',
          guarantee: 'A key with unsettled deliveries goes to the consumer that has them, or to nobody.',
        }
      : {
          level: 'native',
          guarantee: 'A key belongs to one shard, and a shard to one consumer at a time.',
          limits: { shards: settings.shards },
        }
  return {
    features: {
      durability: unsupported(
        'any broker with a disk: the contents end with the process, though not with a connection',
      ),
      delayedSend: delay(settings.maxDelayMs),
      delayedRetry: delay(Infinity),
      uncountedRelease: uncounted,
      uncountedPostpone: uncounted,
      uncountedClose: uncounted,
      deliveryCount: settings.deliveryCount
        ? native
        : unsupported('count attempts, which are recorded with the message'),
      attemptCount: settings.attemptCount
        ? native
        : {
            level: 'emulated',
            guarantee: 'Attempts are hand-outs.',
            cost: 'Crashes and releases spend attempts, too.',
          },
      priority: settings.priority
        ? {
            level: 'native',
            guarantee: 'A higher priority always goes first, so a lower one may wait for ever.',
            limits: { levels: 10 },
          }
        : unsupported('a queue for each priority'),
      keyOrder: settings.keyOrder ? keyOrder : noKeys,
      keyBalance: settings.keyOrder ? native : noKeys,
      holdKey: settings.keyOrder ? (settings.holdKey ? native : noHold) : noKeys,
      expiry: {
        level: 'native',
        guarantee: 'Removed when its turn comes, and never handled after its time.',
      },
      deduplication: settings.deduplication
        ? {
            level: 'native',
            guarantee: 'The last 100,000 ids of each queue at most.',
            limits: { ids: 100_000 },
          }
        : unsupported('make handlers idempotent by context.idempotencyKey'),
      fromEarliest: settings.history === false ? noHistory : describeHistory(settings.history),
      fromTime: settings.history === false ? noHistory : describeHistory(settings.history),
      ephemeral: describeEphemeral(settings, 'subscribe with a group'),
      inbox: describeEphemeral(settings, 'send to a queue of a name that only one instance knows'),
      patternRouting:
        settings.patterns === 'broker'
          ? native
          : {
              level: 'emulated',
              cost: 'Every group gets everything that is published; the driver drops what does not match.',
            },
      boundedQueues: native,
      releaseInPlace: native,
      deadLetterPass: native,
    },
    lease: {
      scope: lease.scope,
      durationMs: lease.scope === 'delivery' ? lease.durationMs : lease.maxHoldMs,
    },
    limits: {
      maxBodyBytes: settings.maxBodyBytes,
      maxHeaderBytes: settings.maxHeaderBytes,
      maxBatch: settings.maxBatch,
      maxBatchBytes: settings.maxBatchBytes,
    },
  }
}

function describeDelay(maxMs: number): Capability {
  return {
    level: 'native',
    guarantee: 'Never early; it waits in the order of the due times.',
    // Timers of a busy process are late.
    limits: { latenessMs: 100, ...(maxMs === Infinity ? {} : { maxMs }) },
  }
}

function describeHistory({
  maxMessages,
  maxBytes,
}: {
  readonly maxMessages: number
  readonly maxBytes: number
}): Capability {
  return {
    level: 'native',
    guarantee: 'As far back as the topic keeps messages.',
    limits: { maxMessages, maxBytes },
  }
}

function describeEphemeral(settings: MemorySettings, alternative: string): Capability {
  if (!settings.ephemeral) return unsupported(alternative)
  return { level: 'native', guarantee: 'At most once.', limits: { maxMessages: maxEphemeralMessages } }
}
