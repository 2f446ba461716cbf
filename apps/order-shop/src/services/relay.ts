import { createRelay } from '@posthorn/idempotency'
import type { Relay } from '@posthorn/idempotency'
import type { ServiceParts } from './service.ts'
import type { ChargeBook } from '../outside/charge-book.ts'

/** Publishes what the payment service has written into the outbox. Any number of relays may, in any process. */
export async function startRelay(
  { transport }: ServiceParts,
  { charges }: { readonly charges: ChargeBook },
): Promise<Relay> {
  return createRelay(charges.store, transport, { pollMs: 50 })
}
