import type { Stage } from './stage.ts'
import { findProduct } from '../shop/catalogue.ts'
import type { OrderItem } from '../shop/order.ts'

export interface Reservation {
  readonly orderId: string
  readonly customerId: string
  readonly items: readonly OrderItem[]
  readonly idempotencyKey?: string | undefined
}

/** Puts goods aside: a file for each order in the folder `reservations`. */
export interface Warehouse {
  reserve(reservation: Reservation): Promise<void>
}

const shelfSize = 10_000

export function createWarehouse(stage: Stage): Warehouse {
  return {
    reserve({ idempotencyKey, ...reservation }) {
      const { orderId, customerId, items } = reservation
      return stage.ask('warehouse', orderId, () => {
        for (const { sku, quantity } of items) {
          if (findProduct(sku) === undefined) throw new Error(`No shelf for ${sku}`)
          if (quantity > shelfSize)
            throw new Error(`Only ${shelfSize} of ${sku} are here, and ${quantity} were asked for`)
        }
        const file = { folder: 'reservations', key: idempotencyKey, extension: 'json' }
        stage.writeOnce(file, JSON.stringify(reservation), { effect: 'reservation', orderId, customerId })
      })
    },
  }
}
