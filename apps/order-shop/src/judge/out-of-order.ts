import type { LedgerLine } from './read-effects.ts'

/** Payments wait while the provider is down, and invoices go past them; sales follow from payments. */
const inOrder: ReadonlySet<string> = new Set(['reservation', 'email'])

/**
 * How many reservations and e-mails came after that for a later order of the same customer. Only the first for each order
 * counts: a second one is doubled, not late. `orderIds` are all orders, in their order.
 */
export function countOutOfOrder(orderIds: readonly string[], ledger: readonly LedgerLine[]): number {
  const places = new Map(orderIds.map((id, index) => [id, index]))
  const latest = new Map<string, number>()
  const seen = new Set<string>()
  let late = 0
  for (const { effect, orderId, customerId } of ledger) {
    const place = orderId === undefined ? undefined : places.get(orderId)
    if (place === undefined || !inOrder.has(effect) || seen.has(`${effect} ${orderId}`)) continue
    seen.add(`${effect} ${orderId}`)
    const line = `${effect} ${customerId}`
    const before = latest.get(line) ?? -1
    if (place < before) late++
    else latest.set(line, place)
  }
  return late
}
