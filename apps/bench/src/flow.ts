import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Middleware, Transport } from '@posthorn/transport'

export interface FlowOptions {
  readonly messages: number
  /** Sends that wait for their confirmation at a time. */
  readonly inFlight: number
  readonly concurrency: number
  readonly use?: readonly Middleware[]
  /** Called after each thousandth message. */
  readonly onThousand?: (handled: number) => void
}

/** An order of 256 bytes of JSON, as most of the figures in the documents are about. */
export const body = {
  orderId: 'a3c1b7d2-9f00-4a51-8f6e-5a1d0c6be001',
  customerId: 'customer-47',
  currency: 'EUR',
  total: 129.9,
  items: [
    { sku: 'BOOK-1001', quantity: 2, price: 24.95 },
    { sku: 'LAMP-2044', quantity: 1, price: 80 },
  ],
  note: 'Leave with the neighbours, ring twice',
}

/** How long it took, in seconds: on the wall, and of processor time, which other processes on the machine do not add to. */
export interface FlowTime {
  readonly wall: number
  readonly processor: number
}

/** Sends and handles messages at the same time, by single `send` calls, until the last was acked. */
export async function flow(transport: Transport, options: FlowOptions): Promise<FlowTime> {
  const { messages, inFlight, concurrency, use = [], onThousand } = options
  let handled = 0
  let finish = (): void => {}
  const done = new Promise<void>((resolve) => {
    finish = resolve
  })
  const consumer = await transport.consume(
    'bench',
    () => {
      handled++
      if (handled % 1000 === 0) onThousand?.(handled)
      if (handled === messages) finish()
    },
    { concurrency, use },
  )
  const startedAt = process.hrtime.bigint()
  const before = process.cpuUsage()
  for (let sent = 0; sent < messages;) {
    const burst: Promise<void>[] = []
    for (; burst.length < inFlight && sent < messages; sent++)
      burst.push(transport.send('bench', { data: body }))
    await Promise.all(burst)
    // Producers that outrun their consumer measure the backlog, not the way of a message.
    while (sent - handled > inFlight) await nextTurn()
  }
  await done
  const wall = Number(process.hrtime.bigint() - startedAt) / 1e9
  const { user, system } = process.cpuUsage(before)
  await consumer.stop()
  return { wall, processor: (user + system) / 1e6 }
}
