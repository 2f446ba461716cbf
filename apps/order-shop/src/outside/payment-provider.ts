import type { Stage } from './stage.ts'

export interface Payment {
  readonly orderId: string
  readonly cents: number
}

/** Says whether a card is good for a sum. Asking again does no harm: money moves by what the charge book holds. */
export interface PaymentProvider {
  /** Answers the number of the authorization. */
  authorize(payment: Payment): Promise<string>
}

export function createPaymentProvider(stage: Stage): PaymentProvider {
  return {
    authorize: ({ orderId, cents }) => stage.ask('payment', orderId, () => `A-${orderId.slice(-5)}-${cents}`),
  }
}
