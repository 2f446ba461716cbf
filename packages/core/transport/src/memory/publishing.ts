import {
  bodyTooLarge,
  confirmationLost,
  delayTooLong,
  headersTooLarge,
  publishRejected,
  topicMissing,
  unroutable,
} from './errors.ts'
import { nativeDestination } from './native-names.ts'
import { allOf } from './outcomes.ts'
import type { BrokerParts } from './parts.ts'
import type { Queue } from './queue.ts'
import type { Topic } from './topic.ts'
import type { Destination, PublishOutcome } from '../contract/driver.ts'
import type { WireMessage } from '../contract/wire-message.ts'
import type { PosthornError } from '../errors.ts'

/** Stores a batch and answers for each message. */
export function store(
  parts: BrokerParts,
  namespace: string,
  destination: Destination,
  batch: readonly WireMessage[],
): readonly PublishOutcome[] {
  const name = nativeDestination(namespace, destination)
  const target = destination.kind === 'topic' ? parts.topics.get(name) : parts.queues.get(name)
  if (target === undefined) {
    const error = destination.kind === 'topic' ? topicMissing(destination.name) : unroutable(destination.name)
    return batch.map(() => error)
  }
  const now = parts.clock.now()
  let outcomes: PublishOutcome[] | undefined
  for (let index = 0; index < batch.length; index++) {
    const outcome = storeOne(parts, target, batch[index] as WireMessage, now)
    if (outcome === 'confirmed' && outcomes === undefined) continue
    outcomes ??= new Array<PublishOutcome>(index).fill('confirmed')
    outcomes.push(outcome)
  }
  return outcomes ?? allOf('confirmed', batch.length)
}

function storeOne(
  parts: BrokerParts,
  target: Queue | Topic,
  message: WireMessage,
  now: number,
): PublishOutcome {
  const { faults } = parts
  const refusal = refuse(parts, message, now)
  if (refusal !== undefined) return refusal
  if (faults.rejections > 0) {
    faults.rejections--
    return publishRejected(faults.rejectionCode)
  }
  const outcome = target.accept(message, now)
  if (outcome !== 'confirmed') return outcome
  if (faults.duplicates > 0) {
    faults.duplicates--
    target.insert(message, now)
  }
  if (faults.confirmations > 0) {
    faults.confirmations--
    return confirmationLost()
  }
  return 'confirmed'
}

function refuse(parts: BrokerParts, message: WireMessage, now: number): PosthornError | undefined {
  const { settings } = parts
  const { maxBodyBytes, maxHeaderBytes } = settings
  const { body, headers } = message
  if (body.byteLength > maxBodyBytes) return bodyTooLarge(body.byteLength, maxBodyBytes)
  let headerBytes = 0
  for (const name in headers) headerBytes += name.length + Buffer.byteLength(headers[name] as string)
  if (headerBytes > maxHeaderBytes) return headersTooLarge(headerBytes, maxHeaderBytes)
  const longestMs = settings.delay ? settings.maxDelayMs : 0
  if (message.notBefore !== undefined && message.notBefore - now > longestMs) return delayTooLong(longestMs)
  return undefined
}
