import { createEventBus } from '@posthorn/event-bus'
import type { Consumer } from '@posthorn/transport'
import { retryPolicy } from './retry-policy.ts'
import type { ServiceParts } from './service.ts'
import type { SalesBook } from '../outside/sales-book.ts'
import type { ShopEvents } from '../shop/messages.ts'

/** Keeps the book from which the reports are made: of what is paid. */
export function startAnalyticsService(
  { transport, metrics }: ServiceParts,
  sales: SalesBook,
): Promise<Consumer> {
  const events = createEventBus<ShopEvents>(transport, 'orders')

  return events.subscribe(
    'order.paid',
    async function recordSale({ data: order }, { idempotencyKey }) {
      await sales.record(order, { idempotencyKey })
    },
    { group: 'analytics', use: [metrics.use, retryPolicy] },
  )
}
