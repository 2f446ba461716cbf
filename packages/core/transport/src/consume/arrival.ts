import type { Delivery } from '../contract/driver.ts'

/** The limits against which a delivery is held when it arrives. */
export interface ArrivalLimits {
  readonly maxAttempts: number
  readonly maxDeliveries: number
  readonly maxBytes: number
}

export type Arrival = 'handle' | 'expired' | 'invalid' | 'too-large' | 'attempts-exhausted' | 'deliveries-exhausted'

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
