import { isPosthornError } from '@posthorn/transport'
import type { OutgoingMessage, Transport } from '@posthorn/transport'
import { createWorkQueue } from '@posthorn/work-queue'
import { incomingOrders } from './order-service.ts'
import { catalogue } from '../shop/catalogue.ts'
import { imageWidths, reportNames } from '../shop/messages.ts'
import type { ShopTasks } from '../shop/messages.ts'

const triesAtMost = 5

/** Hands one line of the orders file over, unread: judging it is the order service's work. `number` counts from 1. */
export async function takeOrder(transport: Transport, line: string, number: number): Promise<void> {
  const key = customerOf(line)
  const message: OutgoingMessage<Uint8Array> = {
    data: Buffer.from(line),
    id: `line-${number}`,
    headers: { line: String(number) },
    ...(key === undefined ? {} : { key }),
  }
  for (let tries = 1; ; tries++) {
    try {
      return await transport.send(incomingOrders, message)
    } catch (error) {
      // Where the outcome is unknown it may be there already: the same id makes a second copy harmless.
      if (!isPosthornError(error) || !error.retryable || tries === triesAtMost) throw error
    }
  }
}

/** Asks for each product's picture in all its widths. */
export async function addImages(transport: Transport): Promise<void> {
  const tasks = createWorkQueue<ShopTasks>(transport, 'tasks')
  await tasks.addMany(
    catalogue.flatMap(({ sku }) =>
      imageWidths.map((width) => ({ type: 'resize-image' as const, data: { sku, width } })),
    ),
  )
}

/** Asks for all reports. */
export async function addReports(transport: Transport): Promise<void> {
  const tasks = createWorkQueue<ShopTasks>(transport, 'tasks')
  await tasks.addMany(reportNames.map((report) => ({ type: 'generate-report' as const, data: { report } })))
}

/** Whose line it is, as far as one can say; what cannot be read has no order to keep. */
function customerOf(line: string): string | undefined {
  const id = /"customer":\s*\{"id":\s*"([^"]{1,255})"/.exec(line)?.[1]
  return id !== undefined && /^[\x21-\x7e]+$/.test(id) ? id : undefined
}
