import type { Transport } from '@posthorn/transport'
import { startAnalyticsService } from './analytics-service.ts'
import { startEmailService } from './email-service.ts'
import { startInventoryService } from './inventory-service.ts'
import { startOrderService } from './order-service.ts'
import { startPaymentService } from './payment-service.ts'
import { startWorker } from './worker.ts'
import type { Outside } from '../outside/outside.ts'

type Start = (transport: Transport, outside: Outside) => Promise<unknown>

/** The processes of the shop by their names, each with a connection of its own. */
export const processes: ReadonlyMap<string, Start> = new Map<string, Start>([
  ['order', (transport) => startOrderService(transport)],
  ['inventory', (transport, { warehouse }) => startInventoryService(transport, warehouse)],
  ['payment', (transport, { payments }) => startPaymentService(transport, payments)],
  ['email', (transport, { customers }) => startEmailService(transport, customers)],
  ['analytics', (transport, { sales }) => startAnalyticsService(transport, sales)],
  ['worker-1', startWorker],
  ['worker-2', startWorker],
  ['worker-3', startWorker],
])
