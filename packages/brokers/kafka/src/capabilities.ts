import { delaySteps } from './delay-steps.ts'
import { maxHeld } from './commit-metadata.ts'
import type { KafkaSettings } from './options.ts'
import type { Capabilities, Capability } from '@posthorn/transport/driver'

const native: Capability = { level: 'native' }

const unsupported = (alternative: string): Capability => ({ level: 'unsupported', alternative })

const delayed: Capability = {
  level: 'emulated',
  guarantee:
    'Never early. At once when it is time, as long as no more than a thousand messages, or 4 MiB, of about the same delay wait; at worst late by as much as the delay.',
  limits: { latenessMs: delaySteps[0]!, latenessShare: 1 },
  cost: 'Two writes more; one more for each 17 minutes.',
}

/** What Kafka can do. */
export function describeCapabilities({ partitions, maxBodyBytes }: KafkaSettings): Capabilities {
  return {
    features: {
      durability: { level: 'native', guarantee: 'All replicas in sync have it (acks=all).' },
      delayedSend: delayed,
      delayedRetry: delayed,
      uncountedRelease: native,
      uncountedClose: native,
      uncountedPostpone: { level: 'native', guarantee: 'It comes back as a copy, which is counted anew.' },
      deliveryCount: {
        level: 'emulated',
        guarantee: 'After a crash what may have been handed out counts, a window at most.',
      },
      attemptCount: native,
      priority: unsupported('a queue for each priority'),
      keyOrder: {
        level: 'native',
        guarantee: 'A key belongs to one partition, and a partition to one consumer at a time.',
        limits: { shards: partitions },
      },
      keyBalance: {
        level: 'native',
        guarantee: 'Partitions are spread evenly, with as few moves as can be.',
      },
      holdKey: {
        level: 'emulated',
        guarantee: "The attempt is kept in the commit's metadata.",
        limits: { maxHeld },
      },
      expiry: {
        level: 'emulated',
        guarantee: 'Removed when its turn comes, and never handled after its time.',
      },
      deduplication: unsupported('make handlers idempotent by context.idempotencyKey'),
      fromEarliest: { level: 'native', guarantee: 'As far back as the topic keeps messages.' },
      fromTime: { level: 'native', guarantee: 'By the times of the records.' },
      ephemeral: { level: 'native', guarantee: 'At most once.' },
      inbox: {
        level: 'emulated',
        guarantee: 'At most once; sending to one that is gone is refused.',
        cost: 'A topic for each, which is deleted with it; what a crash leaves is deleted within some hours by others that have inboxes.',
      },
      patternRouting: {
        level: 'emulated',
        cost: 'Every group reads everything that is published; the driver drops what does not match.',
      },
      boundedQueues: unsupported('retention, or a bound on what is sent'),
      releaseInPlace: native,
      deadLetterPass: {
        level: 'emulated',
        guarantee: 'An entry keeps its place while it is kept.',
        cost: 'Counting reads them all.',
      },
    },
    lease: { scope: 'session', durationMs: undefined },
    limits: { maxBodyBytes, maxHeaderBytes: 32_768, maxBatch: 1_000, maxBatchBytes: 4 * 1024 * 1024 },
  }
}
