import { findProduct } from './catalogue.ts'
import { totalOf } from './order.ts'
import type { Order } from './order.ts'

/** One line of a report. */
export interface Total {
  readonly name: string
  readonly orders: number
  /** Pieces sold. */
  readonly pieces: number
  readonly cents: number
}

type Sold = Pick<Order, 'placedAt' | 'items' | 'total'> & {
  readonly customer: Pick<Order['customer'], 'id' | 'name'>
}

/** Totals of each customer, by their id. */
export function totalsByCustomer(sales: readonly Sold[]): Total[] {
  return sumUp(sales, ({ customer, items, total }) => [
    { name: customer.id, pieces: countPieces(items), cents: totalOf({ total }) },
  ])
}

/** Totals of each day in UTC, shipping included. */
export function totalsByDay(sales: readonly Sold[]): Total[] {
  return sumUp(sales, ({ placedAt, items, total }) => [
    { name: placedAt.slice(0, 10), pieces: countPieces(items), cents: totalOf({ total }) },
  ])
}

/** Totals of each product, without shipping. */
export function totalsByProduct(sales: readonly Sold[]): Total[] {
  return sumUp(sales, ({ items }) =>
    items.map(({ sku, quantity }) => ({
      name: sku,
      pieces: quantity,
      cents: (findProduct(sku)?.price ?? 0) * quantity,
    })),
  )
}

function sumUp(sales: readonly Sold[], parts: (sale: Sold) => readonly Omit<Total, 'orders'>[]): Total[] {
  const totals = new Map<string, Total>()
  for (const { name, pieces, cents } of sales.flatMap(parts)) {
    const before = totals.get(name) ?? { name, orders: 0, pieces: 0, cents: 0 }
    totals.set(name, {
      name,
      orders: before.orders + 1,
      pieces: before.pieces + pieces,
      cents: before.cents + cents,
    })
  }
  return [...totals.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function countPieces(items: Order['items']): number {
  return items.reduce((sum, { quantity }) => sum + quantity, 0)
}
