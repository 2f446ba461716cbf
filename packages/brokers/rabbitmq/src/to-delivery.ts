import { deliveriesOf, fromWire } from './from-wire.ts'
import type { ConsumerParts } from './consumer-parts.ts'
import type { DeliveryToken } from './settler.ts'
import type { Delivery, Scope } from '@posthorn/transport/driver'
import type { ConsumeMessage } from 'amqplib'

/** What arrived on a channel, as the runner gets it. */
export function toDelivery(
  raw: ConsumeMessage,
  scope: Scope,
  { namespace, createId, clock }: Pick<ConsumerParts, 'namespace' | 'createId' | 'clock'>,
): Delivery {
  const now = clock.now()
  const { message, invalid } = fromWire(raw, { namespace, createId, now })
  const { deliveryTag: tag } = raw.fields
  const token: DeliveryToken = { tag, rank: tag, arrivedAt: now, record: undefined }
  return { scope, token, message, deliveries: deliveriesOf(raw), invalid }
}
