import { startAnalyticsService } from './analytics-service.ts'
import { startEmailService } from './email-service.ts'
import { startInventoryService } from './inventory-service.ts'
import { startOrderService } from './order-service.ts'
import { startPaymentService } from './payment-service.ts'
import { startRelay } from './relay.ts'
import type { Service, ServiceParts } from './service.ts'
import { startWorker } from './worker.ts'
import type { Outside } from '../outside/outside.ts'

type Start = (parts: ServiceParts, outside: Outside) => Promise<Service>

/** The processes of the shop by their names, each with a connection of its own. */
export const processes: ReadonlyMap<string, Start> = new Map<string, Start>([
  ['order', startOrderService],
  ['inventory', (parts, { warehouse }) => startInventoryService(parts, warehouse)],
  ['payment-1', startPaymentService],
  ['payment-2', startPaymentService],
  ['relay', startRelay],
  ['email', (parts, { customers }) => startEmailService(parts, customers)],
  ['analytics', (parts, { sales }) => startAnalyticsService(parts, sales)],
  ['worker-1', startWorker],
  ['worker-2', startWorker],
  ['worker-3', startWorker],
])
