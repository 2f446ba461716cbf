import { headerRoom } from './fit-headers.ts'
import { maxDelayMs, maxExcess } from './retry-ladder.ts'
import { isAtLeast } from './server-version.ts'
import { slotCount } from './shards.ts'
import type { RabbitmqSettings } from './options.ts'
import type { Capabilities, Capability } from '@posthorn/transport/driver'

const native: Capability = { level: 'native' }

const delayed: Capability = {
  level: 'emulated',
  guarantee:
    'Never early; late by at most a quarter of the delay, and by what the broker takes for up to four moves.',
  limits: { maxMs: maxDelayMs, latenessMs: 250, latenessShare: maxExcess },
  cost: 'Up to four moves from queue to queue inside the broker.',
}

const noPriority: Capability = { level: 'unsupported', alternative: 'a queue for each priority' }

/** Of quorum queues. */
function describePriority(version: string | undefined): Capability {
  if (isAtLeast(version, 4, 3)) {
    return {
      level: 'native',
      guarantee: 'The highest goes first; a lower one waits for as long as there are higher ones.',
      limits: { levels: 10 },
      since: '4.3',
    }
  }
  if (!isAtLeast(version, 4, 0)) return noPriority
  return {
    level: 'native',
    guarantee:
      'Two levels, above 4 and the rest, of which the higher goes first two times out of three. What comes back after a delay is of the lower one.',
    limits: { levels: 2, lowerEvery: 3 },
    since: '4.0',
  }
}

/** What a server of this version can do. */
export function describeCapabilities(
  version: string | undefined,
  { maxHoldMs, maxBodyBytes, queueType }: Pick<RabbitmqSettings, 'maxHoldMs' | 'maxBodyBytes' | 'queueType'>,
  frameMax: number,
): Capabilities {
  const isQuorum = queueType === 'quorum'
  const countsNoReleases = isQuorum && isAtLeast(version, 4, 3)
  return {
    features: {
      durability: { level: 'native', guarantee: 'A majority of the nodes of a quorum queue has it.' },
      delayedSend: delayed,
      delayedRetry: delayed,
      uncountedRelease: countsNoReleases
        ? { level: 'native', since: '4.3' }
        : {
            level: 'unsupported',
            alternative: 'pause the consumer, which spends nothing, or run RabbitMQ 4.3',
          },
      uncountedPostpone: { level: 'native', guarantee: 'It comes back as a copy, which is counted anew.' },
      uncountedClose: countsNoReleases
        ? { level: 'emulated', since: '4.3', guarantee: "With order 'none' only." }
        : { level: 'unsupported', alternative: 'stop consumers seldom, or run RabbitMQ 4.3' },
      deliveryCount: isQuorum
        ? native
        : {
            level: 'unsupported',
            alternative: 'quorum queues, which count; a classic one only says that it was before',
          },
      attemptCount: native,
      priority: isQuorum ? describePriority(version) : noPriority,
      keyOrder: {
        level: 'native',
        guarantee: 'One instance at a time has a shard (single active consumer).',
        limits: { shards: slotCount },
        cost: 'A queue, a queue of records and a channel for each shard.',
      },
      keyBalance: {
        level: 'emulated',
        guarantee:
          'Shards are spread evenly over the instances, half a minute after one has joined or left at the latest, once handlers that run have ended.',
        cost: 'A note now and then from instances that wait for a shard.',
      },
      holdKey: {
        level: 'emulated',
        guarantee: 'After a crash what is held comes first.',
        cost: 'Three round trips.',
      },
      expiry: {
        level: 'native',
        guarantee: 'Removed when its turn comes, and never handled after its time.',
      },
      deduplication: {
        level: 'unsupported',
        alternative: 'make handlers idempotent by context.idempotencyKey',
      },
      fromEarliest: {
        level: 'unsupported',
        alternative: 'declare the group before what it must get is published',
      },
      fromTime: {
        level: 'unsupported',
        alternative: 'declare the group before what it must get is published',
      },
      ephemeral: { level: 'native', guarantee: 'At most once.' },
      inbox: { level: 'native', guarantee: 'At most once; sending to one that is gone is refused.' },
      patternRouting: {
        level: 'native',
        guarantee:
          'A pattern that is not declared any more goes on routing; what only it matches is dropped here.',
      },
      boundedQueues: isQuorum
        ? {
            level: 'native',
            guarantee: 'Refuses soon after the bound: what is under way when it is reached is still taken.',
            limits: { overshoot: 1 },
          }
        : { level: 'native' },
      releaseInPlace: native,
      deadLetterPass: {
        level: 'emulated',
        guarantee: 'What is kept moves behind what is newer; an entry may be there twice after a crash.',
        cost: 'Every entry that is kept is written anew.',
      },
    },
    lease: {
      scope: 'session',
      durationMs: maxHoldMs,
      longer: "raise maxHoldMs of rabbitmq(), and the server's consumer_timeout above it",
    },
    // The envelope, the way through the ladder and a dead letter's record need their part.
    limits: {
      maxBodyBytes,
      maxHeaderBytes: headerRoom(frameMax) / 2,
      maxBatch: 100,
      maxBatchBytes: 4 * 1024 * 1024,
    },
  }
}
