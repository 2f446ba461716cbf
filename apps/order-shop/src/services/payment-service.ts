import { createEventBus } from '@posthorn/event-bus'
import type { Consumer, Transport } from '@posthorn/transport'
import { byCustomer } from './policy.ts'
import type { PaymentProvider } from '../outside/payment-provider.ts'
import type { ShopEvents } from '../shop/messages.ts'
import { totalOf } from '../shop/order.ts'

/**
 * Charges each order once. An event may come more than once (after a crash, a cut connection, a lost confirmation), so
 * the provider is given a key that stays the same, and keeps charge and key in one atomic step.
 */
export function startPaymentService(transport: Transport, payments: PaymentProvider): Promise<Consumer> {
  const events = createEventBus<ShopEvents>(transport, 'orders')

  return events.subscribe(
    'order.created',
    async function chargeOrder({ data: order }, { idempotencyKey }) {
      await payments.charge({
        orderId: order.id,
        customerId: order.customer.id,
        cents: totalOf(order),
        idempotencyKey,
      })
    },
    { group: 'payment', ...byCustomer },
  )
}
