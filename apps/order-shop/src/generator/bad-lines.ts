import type { Order } from '../shop/order.ts'

/** What comes in when something upstream is broken: each makes a bad line of a good order. */
export const spoil: readonly ((order: Order) => string)[] = [
  function brokenJson(order) {
    const line = JSON.stringify(order)
    return line.slice(0, Math.floor(line.length * 0.7))
  },
  function withoutEmail({ customer, ...order }) {
    return JSON.stringify({ ...order, customer: { id: customer.id, name: customer.name } })
  },
  function negativeTotal(order) {
    return JSON.stringify({ ...order, total: -order.total })
  },
  function unknownSku(order) {
    return JSON.stringify({ ...order, items: [...order.items, { sku: 'QUILL-GOOSE', quantity: 1 }] })
  },
  function hugeQuantity(order) {
    return JSON.stringify({
      ...order,
      items: [{ ...order.items[0], quantity: 250_000 }, ...order.items.slice(1)],
    })
  },
  function withoutItems(order) {
    return JSON.stringify({ ...order, items: [] })
  },
  function wrongTotal(order) {
    return JSON.stringify({ ...order, total: Math.round(order.total * 10) / 100 })
  },
  function noOrderAtAll() {
    return '<html><body><h1>502 Bad Gateway</h1></body></html>'
  },
]
