import { createBreaker } from '@posthorn/circuit-breaker'
import { createEventBus } from '@posthorn/event-bus'
import { createInbox } from '@posthorn/idempotency'
import type { Consumer } from '@posthorn/transport'
import { retryPolicy } from './retry-policy.ts'
import type { ServiceParts } from './service.ts'
import type { ChargeBook } from '../outside/charge-book.ts'
import type { PaymentProvider } from '../outside/payment-provider.ts'
import type { ShopEvents } from '../shop/messages.ts'
import { totalOf } from '../shop/order.ts'
import type { Order } from '../shop/order.ts'

const insertCharge = 'INSERT INTO charges (order_id, customer_id, cents, authorization) VALUES (?, ?, ?, ?)'

export interface PaymentTools {
  readonly payments: PaymentProvider
  readonly charges: ChargeBook
}

/**
 * Charges each order once. A card has to be authorized by the payment provider; while that is down, card orders wait, and
 * invoices go on. The charge, the record that this event is done and the event that follows from it are one
 * transaction, so an event may come as often as it likes.
 */
export function startPaymentService(
  { transport, metrics, log }: ServiceParts,
  { payments, charges }: PaymentTools,
): Promise<Consumer> {
  const { clock } = transport
  const events = createEventBus<ShopEvents>(transport, 'orders')
  const { store, transaction, onRepetition } = charges
  const inbox = createInbox({ store, transaction, onRepetition, clock })
  // Short times: this is a demo.
  const breaker = createBreaker({
    name: 'payment-provider',
    minimumCalls: 5,
    failureRate: 0.3,
    windowMs: 500,
    timeoutMs: 2_000,
    resetMs: 150,
    maxResetMs: 300,
    clock,
  })
  breaker.onChange(({ to }) => to === 'open' && log('breakerOpened'))
  metrics.watchBreaker(breaker)

  return events.subscribe(
    'order.created.*',
    async function chargeOrder(event, context) {
      const { id, customer } = event.data
      const cents = totalOf(event.data)
      // Before the transaction: the database should not be held up by somebody else's network.
      const authorization =
        event.type === 'order.created.card' ? await payments.authorize({ orderId: id, cents }) : null

      const charge = inbox.handler<Order>(async ({ data: order }, inner) => {
        inner.transaction.prepare(insertCharge).run(id, customer.id, cents, authorization)
        await events.publish('order.paid', order, { id: `paid-${id}`, key: customer.id, via: inner })
      })
      return charge(event, context)
    },
    {
      group: 'payment',
      use: [metrics.use, retryPolicy, breaker.consume({ types: 'order.created.card' })],
    },
  )
}
