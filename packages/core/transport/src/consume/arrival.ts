import type { Delivery } from '../contract/driver.ts'
import { PosthornError } from '../errors.ts'
import { suspectFrom } from './suspicion.ts'

/** The limits against which a delivery is held when it arrives. */
export interface ArrivalLimits {
  readonly maxAttempts: number
  readonly maxDeliveries: number
  readonly maxBytes: number
}

export type Arrival =
  | 'handle'
  | 'expired'
  | 'invalid'
  | 'too-large'
  | 'attempts-exhausted'
  | 'deliveries-exhausted'

/** What to do about a delivery before anything of it is read. */
export function judgeArrival(delivery: Delivery, now: number, limits: ArrivalLimits): Arrival {
  const { message } = delivery
  if (delivery.invalid !== undefined) return 'invalid'
  if (message.expiresAt !== undefined && message.expiresAt <= now) return 'expired'
  if (message.body.length > limits.maxBytes) return 'too-large'
  if (message.attempt > limits.maxAttempts) return 'attempts-exhausted'
  if (delivery.deliveries - message.releases > limits.maxDeliveries) return 'deliveries-exhausted'
  return 'handle'
}

/**
 * Whether one that was handed out too often was alone in its process as often as it could be, at least at the end: where
 * that is recorded, its neighbours, which were handed out as often, were not.
 */
export function wasAlone({ message }: Delivery, { maxDeliveries }: ArrivalLimits): boolean {
  return message.trials >= Math.min(suspectFrom, maxDeliveries - suspectFrom + 1)
}

/** What is wrong with a delivery that is dead-lettered unread, where its own last failure does not say it. */
export function describeRefusal(
  verdict: Exclude<Arrival, 'handle' | 'expired'>,
  { message, invalid }: Delivery,
  { maxBytes }: ArrivalLimits,
): PosthornError | undefined {
  switch (verdict) {
    case 'invalid': {
      const text = `The envelope of message ${message.id} cannot be trusted: ${invalid ?? ''}.`
      return new PosthornError('POSTHORN_UNDECODABLE', text, { phase: 'receive' })
    }
    case 'too-large': {
      const text = `The body has ${message.body.length} bytes; this consumer takes ${maxBytes} (maxBytes).`
      return new PosthornError('POSTHORN_BODY_TOO_LARGE', text, { phase: 'receive' })
    }
    default:
      return undefined
  }
}
