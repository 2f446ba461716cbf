import type { Order } from './order.ts'

/** What is told to whoever wants to know: event names, and the data of each. */
export interface ShopEvents {
  /** To be paid by card. */
  'order.created.card': Order
  'order.created.invoice': Order
  /** It is charged. */
  'order.paid': Order
}

/** What is to be done by one of the workers: task names, and the data of each. */
export interface ShopTasks {
  email: { orderId: string; customerId: string; to: string; subject: string; text: string }
  'resize-image': { sku: string; width: number }
  'generate-report': { report: ReportName }
}

export type ReportName = 'customers' | 'products' | 'days'

export const reportNames: readonly ReportName[] = ['customers', 'products', 'days']

/** Widths in pixels that each product's picture is needed in. */
export const imageWidths: readonly number[] = [120, 320, 640]
