import { createEventBus } from '@posthorn/event-bus'
import type { Consumer, Transport } from '@posthorn/transport'
import { byCustomer } from './policy.ts'
import type { SalesBook } from '../outside/sales-book.ts'
import type { ShopEvents } from '../shop/messages.ts'

/** Keeps the book from which the reports are made. */
export function startAnalyticsService(transport: Transport, sales: SalesBook): Promise<Consumer> {
  const events = createEventBus<ShopEvents>(transport, 'orders')

  return events.subscribe(
    'order.created',
    async function recordSale({ data: order }, { idempotencyKey }) {
      await sales.record(order, { idempotencyKey })
    },
    { group: 'analytics', ...byCustomer },
  )
}
