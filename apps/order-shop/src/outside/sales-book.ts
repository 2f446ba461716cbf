import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Stage } from './stage.ts'
import type { Order } from '../shop/order.ts'

/** What is kept of a sale. */
export type Sale = Pick<Order, 'id' | 'placedAt' | 'items' | 'total'> & {
  readonly customer: Pick<Order['customer'], 'id' | 'name'>
}

/** Keeps each sale, for the reports: a file for each in the folder `sales`. */
export interface SalesBook {
  record(sale: Sale, options?: { readonly idempotencyKey?: string | undefined }): Promise<void>
}

export function createSalesBook(stage: Stage): SalesBook {
  return {
    record({ id, placedAt, items, total, customer }, { idempotencyKey } = {}) {
      return stage.ask('sales', id, () => {
        const sale: Sale = { id, placedAt, items, total, customer: { id: customer.id, name: customer.name } }
        const file = { folder: 'sales', key: idempotencyKey, extension: 'json' }
        stage.writeOnce(file, JSON.stringify(sale), { effect: 'sale', orderId: id, customerId: customer.id })
      })
    },
  }
}

/** All sales in a shop's folder, in no order. */
export function readSales(folder: string): Sale[] {
  const sales = join(folder, 'sales')
  return readdirSync(sales).map((file) => JSON.parse(readFileSync(join(sales, file), 'utf8')) as Sale)
}
