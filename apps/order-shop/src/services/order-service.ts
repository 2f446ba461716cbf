import { createEventBus } from '@posthorn/event-bus'
import type { Consumer } from '@posthorn/transport'
import { retryPolicy } from './retry-policy.ts'
import type { ServiceParts } from './service.ts'
import type { ShopEvents } from '../shop/messages.ts'
import { BadOrder, paymentOf, readOrder } from '../shop/order.ts'
import type { Order } from '../shop/order.ts'

/** The queue that lines of orders come in by, as raw bytes. */
export const incomingOrders = 'incoming-orders'

/** Turns lines into orders and tells the others of them. What is no order ends as a dead letter that says why. */
export function startOrderService({ transport, metrics }: ServiceParts): Promise<Consumer> {
  const events = createEventBus<ShopEvents>(transport, 'orders')

  return transport.consume<Uint8Array>(
    incomingOrders,
    async function acceptOrder({ data }, context) {
      let order: Order
      try {
        order = readOrder(Buffer.from(data).toString())
      } catch (error) {
        if (error instanceof BadOrder) return context.deadLetter({ reason: error.reason, error })
        throw error
      }
      // The order's id is the event's: however often this line is handled, everybody sees one and the same event.
      const type = `order.created.${paymentOf(order)}` as const
      return events.publish(type, order, { id: order.id, key: order.customer.id, via: context })
    },
    { order: 'key', use: [metrics.use, retryPolicy] },
  )
}
