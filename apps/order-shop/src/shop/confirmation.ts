import { findProduct } from './catalogue.ts'
import type { ShopTasks } from './messages.ts'
import { shipping } from './order.ts'
import type { Order } from './order.ts'

/** The e-mail that tells a customer of their order. */
export function confirmationOf(order: Order, greeting: string): ShopTasks['email'] {
  const { id, customer, address, items, total, currency } = order
  const lines = items.map(({ sku, quantity }) => {
    const product = findProduct(sku)
    const price = ((product?.price ?? 0) * quantity) / 100
    return `${String(quantity).padStart(4)} × ${(product?.name ?? sku).padEnd(32)}${price.toFixed(2).padStart(10)}`
  })
  const goods = items.reduce((sum, { sku, quantity }) => sum + (findProduct(sku)?.price ?? 0) * quantity, 0)
  const text = [
    `${greeting},`,
    '',
    `thank you for your order ${id}:`,
    '',
    ...lines,
    `${'Shipping'.padEnd(39)}${(shipping(goods) / 100).toFixed(2).padStart(10)}`,
    `${`Total in ${currency}`.padEnd(39)}${total.toFixed(2).padStart(10)}`,
    '',
    'It goes to:',
    `${customer.name}, ${address.street}, ${address.postcode} ${address.city}, ${address.country}`,
  ].join('\n')
  return { orderId: id, customerId: customer.id, to: customer.email, subject: `Your order ${id}`, text }
}
