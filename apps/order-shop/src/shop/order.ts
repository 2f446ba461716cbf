import { findProduct } from './catalogue.ts'

/** One order, as it stands on a line of the orders file. A `type`, so that it can be an event's data as it is. */
export type Order = {
  readonly id: string
  /** ISO 8601. */
  readonly placedAt: string
  readonly customer: { readonly id: string; readonly name: string; readonly email: string }
  readonly address: {
    readonly street: string
    readonly postcode: string
    readonly city: string
    readonly country: string
  }
  readonly items: readonly OrderItem[]
  /** In the currency's main unit: 64.5 is 64 euros and 50 cents. */
  readonly total: number
  readonly currency: string
  /** By card when left out. */
  readonly payment?: 'card' | 'invoice'
  readonly note?: string
}

export type OrderItem = { readonly sku: string; readonly quantity: number }

/** Why an order cannot be accepted. `reason` is one of a few words, the message is for people. */
export class BadOrder extends Error {
  override readonly name = 'BadOrder'
  readonly reason: string

  constructor(reason: string, message: string) {
    super(message)
    this.reason = reason
  }
}

/** Of one item; more is taken for a slip of the finger. */
const maxQuantity = 100
const idShape = /^[A-Za-z0-9-]{1,40}$/

/** Reads one line of an orders file. Throws a `BadOrder` that says what is wrong with it. */
export function readOrder(line: string): Order {
  const order = parse(line)
  for (const field of [
    'id',
    'placedAt',
    'currency',
    'customer.id',
    'customer.name',
    'customer.email',
  ] as const) {
    requireText(order, field)
  }
  for (const field of ['street', 'postcode', 'city', 'country'] as const)
    requireText(order, `address.${field}`)
  for (const field of ['id', 'customer.id'] as const) {
    if (!idShape.test(String(get(order, field)))) {
      throw new BadOrder(
        'bad-id',
        `${field} must be 1 to 40 letters, digits or "-", and is ${show(get(order, field))}`,
      )
    }
  }
  if (!Array.isArray(order['items']) || order['items'].length === 0) {
    throw new BadOrder('missing-field', 'items must be an array with at least one item')
  }
  const { payment } = order
  if (payment !== undefined && payment !== 'card' && payment !== 'invoice') {
    throw new BadOrder('unknown-payment', `payment must be "card" or "invoice", and is ${show(payment)}`)
  }
  const goods = order['items'].reduce((sum: number, item: unknown) => sum + priceOf(item), 0)
  checkTotal(order['total'], goods + shipping(goods))
  return order as Order
}

export function paymentOf({ payment = 'card' }: Pick<Order, 'payment'>): 'card' | 'invoice' {
  return payment
}

/** Cents: free from 50 euros on. */
export function shipping(goods: number): number {
  return goods >= 5_000 ? 0 : 490
}

/** The order's total in cents. */
export function totalOf(order: Pick<Order, 'total'>): number {
  return Math.round(order.total * 100)
}

function parse(line: string): Record<string, unknown> {
  let order: unknown
  try {
    order = JSON.parse(line)
  } catch (error) {
    throw new BadOrder('not-json', `The line is no JSON: ${(error as Error).message}`)
  }
  if (typeof order === 'object' && order !== null && !Array.isArray(order))
    return order as Record<string, unknown>
  throw new BadOrder('not-an-order', `The line must hold a JSON object, and holds ${show(order)}`)
}

function requireText(order: Record<string, unknown>, field: string): void {
  const value = get(order, field)
  if (typeof value === 'string' && value.trim() !== '') return
  const problem = value === undefined ? 'is missing' : `must be text, and is ${show(value)}`
  throw new BadOrder('missing-field', `${field} ${problem}`)
}

function priceOf(item: unknown): number {
  const { sku, quantity } = (item ?? {}) as { readonly sku?: unknown; readonly quantity?: unknown }
  const product = typeof sku === 'string' ? findProduct(sku) : undefined
  if (product === undefined) throw new BadOrder('unknown-sku', `There is no product ${show(sku)}`)
  if (!Number.isInteger(quantity) || (quantity as number) < 1) {
    throw new BadOrder(
      'bad-quantity',
      `The quantity of ${product.sku} must be a whole number from 1, and is ${show(quantity)}`,
    )
  }
  if ((quantity as number) > maxQuantity) {
    throw new BadOrder(
      'huge-quantity',
      `${quantity as number} of ${product.sku} is more than the ${maxQuantity} that one order may hold`,
    )
  }
  return product.price * (quantity as number)
}

function checkTotal(total: unknown, expected: number): void {
  if (typeof total !== 'number')
    throw new BadOrder('missing-field', `total must be a number, and is ${show(total)}`)
  if (total < 0) throw new BadOrder('negative-total', `total must not be negative, and is ${total}`)
  if (totalOf({ total }) === expected) return
  throw new BadOrder(
    'wrong-total',
    `total is ${total.toFixed(2)}, but items and shipping come to ${(expected / 100).toFixed(2)}`,
  )
}

function get(order: Record<string, unknown>, path: string): unknown {
  let value: unknown = order
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Record<string, unknown>)[name]
  }
  return value
}

function show(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value).slice(0, 60)
}
