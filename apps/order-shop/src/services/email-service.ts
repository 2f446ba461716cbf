import { createEventBus } from '@posthorn/event-bus'
import type { Consumer } from '@posthorn/transport'
import { createWorkQueue } from '@posthorn/work-queue'
import { retryPolicy } from './retry-policy.ts'
import type { ServiceParts } from './service.ts'
import type { CustomerRegister } from '../outside/customer-register.ts'
import type { ShopEvents, ShopTasks } from '../shop/messages.ts'
import { confirmationOf } from '../shop/confirmation.ts'

/** Writes a confirmation for each order, and leaves the sending to the workers. */
export function startEmailService(
  { transport, metrics }: ServiceParts,
  customers: CustomerRegister,
): Promise<Consumer> {
  const events = createEventBus<ShopEvents>(transport, 'orders')
  const tasks = createWorkQueue<ShopTasks>(transport, 'tasks')

  return events.subscribe(
    'order.created.*',
    async function confirmOrder({ data: order }, context) {
      const greeting = await customers.greeting(order.customer, order.id)
      // The id is given, so that a second copy of the event adds the same task once more, which the worker recognises.
      await tasks.add('email', confirmationOf(order, greeting), {
        id: `email-${order.id}`,
        key: order.customer.id,
        via: context,
      })
    },
    { group: 'email', order: 'key', use: [metrics.use, retryPolicy] },
  )
}
