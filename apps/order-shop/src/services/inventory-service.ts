import { createEventBus } from '@posthorn/event-bus'
import type { Consumer } from '@posthorn/transport'
import { retryPolicy } from './retry-policy.ts'
import type { ServiceParts } from './service.ts'
import type { Warehouse } from '../outside/warehouse.ts'
import type { ShopEvents } from '../shop/messages.ts'

/** Puts the goods of each order aside; those of one customer in order. */
export function startInventoryService(
  { transport, metrics }: ServiceParts,
  warehouse: Warehouse,
): Promise<Consumer> {
  const events = createEventBus<ShopEvents>(transport, 'orders')

  return events.subscribe(
    'order.created.*',
    async function reserveStock({ data: order }, { idempotencyKey }) {
      const { id: orderId, items, customer } = order
      await warehouse.reserve({ orderId, customerId: customer.id, items, idempotencyKey })
    },
    { group: 'inventory', order: 'key', use: [metrics.use, retryPolicy] },
  )
}
