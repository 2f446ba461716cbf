import { BadOrder, readOrder, totalOf } from '../shop/order.ts'
import type { Order } from '../shop/order.ts'

/** What the lines of an orders file ask for. */
export interface Expected {
  /** Good orders, each once, in the order of the file. */
  readonly orders: readonly Order[]
  readonly bad: readonly BadLine[]
  /** Of all good orders. */
  readonly cents: number
}

export interface BadLine {
  readonly line: string
  /** As far as the line still says. */
  readonly orderId: string | undefined
}

export function readExpected(lines: readonly string[]): Expected {
  const orders = new Map<string, Order>()
  const bad: BadLine[] = []
  for (const line of lines) {
    try {
      const order = readOrder(line)
      if (!orders.has(order.id)) orders.set(order.id, order)
    } catch (error) {
      if (!(error instanceof BadOrder)) throw error
      bad.push({ line, orderId: /"id":\s*"([A-Za-z0-9-]{1,40})"/.exec(line)?.[1] })
    }
  }
  const cents = [...orders.values()].reduce((sum, order) => sum + totalOf(order), 0)
  return { orders: [...orders.values()], bad, cents }
}
