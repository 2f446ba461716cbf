// Writes data/orders.jsonl: node src/generate-orders.ts
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { spoil } from './generator/bad-lines.ts'
import { makeCustomers } from './generator/customers.ts'
import type { Customer } from './generator/customers.ts'
import { catalogue, findProduct } from './shop/catalogue.ts'
import { shipping } from './shop/order.ts'
import type { Order, OrderItem } from './shop/order.ts'
import { createRandom } from './shop/seeded-random.ts'

const seed = 1840
const orderCount = 520
/** Among the first lines there is one of each kind of bad order, so that a share of the file has them, too. */
const badEvery = 13
const badAtMost = 20
/** Lines that say an order of before once more, as a shop front does that got no answer in time. */
const repeated: readonly number[] = [60, 242, 400]

const random = createRandom(seed)
const paying = createRandom(seed + 1)
const below = (bound: number): number => Math.floor(random() * bound)
const oneOf = <Item>(list: readonly Item[]): Item => list[below(list.length)] as Item

const notes: readonly string[] = [
  'Please leave it with the neighbour.',
  'A gift: no invoice in the parcel, please.',
  'Ring twice, the bell is slow.',
  'Für Oma zum 80. Geburtstag',
  'Engraving on the seal: "R" with a dot',
  '納品書は英語でお願いします',
  'Deliver after 17:00 😊',
]

function makeItems(): OrderItem[] {
  const products = new Set(Array.from({ length: 1 + below(4) }, () => oneOf(catalogue).sku))
  return [...products].map((sku) => ({ sku, quantity: random() < 0.7 ? 1 : 1 + below(6) }))
}

function makeOrder(number: number, { customer, address }: Customer, placedAt: Date): Order {
  const items = makeItems()
  const goods = items.reduce((sum, { sku, quantity }) => sum + (findProduct(sku)?.price ?? 0) * quantity, 0)
  return {
    id: `ORD-${String(number).padStart(5, '0')}`,
    placedAt: placedAt.toISOString().replace('.000Z', 'Z'),
    customer,
    address,
    items,
    total: (goods + shipping(goods)) / 100,
    currency: 'EUR',
    ...(paying() < 0.2 ? { payment: 'invoice' as const } : {}),
    ...(random() < 0.15 ? { note: oneOf(notes) } : {}),
  }
}

/** Customers often order again within minutes: something was forgotten. */
function makeOrders(): Order[] {
  const customers = makeCustomers(random)
  const orders: Order[] = []
  const forgetful: Customer[] = []
  let time = Date.UTC(2026, 2, 2, 6, 30)
  while (orders.length < orderCount) {
    const again = forgetful.length > 0 && random() < 0.6 ? forgetful.shift() : undefined
    const customer = again ?? oneOf(customers)
    if (random() < 0.4) forgetful.push(customer)
    time += 1_000 * (20 + below(again === undefined ? 2_300 : 120))
    orders.push(makeOrder(10_000 + orders.length, customer, new Date(time)))
  }
  return orders
}

const lines = makeOrders().map((order, index) => {
  const kind = (index - 9) / badEvery
  return Number.isInteger(kind) && kind >= 0 && kind < badAtMost
    ? (spoil[kind % spoil.length] as (typeof spoil)[number])(order)
    : JSON.stringify(order)
})
for (const index of repeated) lines.splice(index + 2, 0, lines[index] as string)

const file = fileURLToPath(new URL('../data/orders.jsonl', import.meta.url))
writeFileSync(file, lines.join('\n') + '\n')
console.log(`${lines.length} lines written to ${file}`)
