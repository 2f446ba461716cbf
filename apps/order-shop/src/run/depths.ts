import type { Depth, Transport } from '@posthorn/transport'
import { incomingOrders } from '../services/order-service.ts'

/** Everything that the shop's processes read. */
export const sources: readonly string[] = [
  incomingOrders,
  'orders/inventory',
  'orders/payment',
  'orders/email',
  'orders/analytics',
  'tasks',
]

/** How many messages each source has that nobody is done with, as far as the broker can say. */
export async function readDepths(transport: Transport): Promise<Record<string, number>> {
  const entries = await Promise.all(
    sources.map(async (source) => [source, countOpen(await transport.depth(source))] as const),
  )
  return Object.fromEntries(entries)
}

function countOpen({ ready, delayed = 0, inFlight = 0, lag }: Depth): number {
  return ready === undefined && lag !== undefined ? lag + delayed : (ready ?? 0) + delayed + inFlight
}
