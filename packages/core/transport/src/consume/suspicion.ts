import type { WireMessage } from '../contract/wire-message.ts'

/** From this many hand-outs without a recorded outcome on, a message is suspected of ending its process. */
export const suspectFrom = 3

/** Whether a message of so many hand-outs is to be handled with nothing else in the process. */
export function isSuspect(deliveries: number, message: WireMessage): boolean {
  // A release is a hand-out that is accounted for; so is each failed attempt that ended in a retry.
  return deliveries - message.releases - (message.attempt - 1) >= suspectFrom
}
