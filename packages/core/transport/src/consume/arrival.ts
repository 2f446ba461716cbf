import type { Delivery } from '../contract/driver.ts'

/** The limits against which a delivery is held when it arrives. */
export interface ArrivalLimits {
  readonly maxAttempts: number
  readonly maxDeliveries: number
  readonly maxBytes: number
}

/** From this many hand-outs without a recorded outcome on, a message is suspected of ending its process. */
const suspectFrom = 3

export type Arrival =
  | 'handle'
  /** To be handled with nothing else in the process. */
  | 'suspect'
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
  // A release is a hand-out that is accounted for; so is each failed attempt that ended in a retry.
  const handOuts = delivery.deliveries - message.releases
  if (handOuts > limits.maxDeliveries) return 'deliveries-exhausted'
  if (handOuts - (message.attempt - 1) >= suspectFrom) return 'suspect'
  return 'handle'
}
