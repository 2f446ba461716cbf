import { createEventBus } from '@posthorn/event-bus'
import type { Consumer, Transport } from '@posthorn/transport'
import { byCustomer } from './policy.ts'
import type { Warehouse } from '../outside/warehouse.ts'
import type { ShopEvents } from '../shop/messages.ts'

/** Puts the goods of each order aside. */
export function startInventoryService(transport: Transport, warehouse: Warehouse): Promise<Consumer> {
  const events = createEventBus<ShopEvents>(transport, 'orders')

  return events.subscribe(
    'order.created',
    async function reserveStock({ data: order }, { idempotencyKey }) {
      const { id: orderId, items, customer } = order
      await warehouse.reserve({ orderId, customerId: customer.id, items, idempotencyKey })
    },
    { group: 'inventory', ...byCustomer },
  )
}
