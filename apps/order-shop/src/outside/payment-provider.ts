import type { Stage } from './stage.ts'

export interface Charge {
  readonly orderId: string
  readonly customerId: string
  readonly cents: number
  /** Of two charges with one key, the second does nothing. */
  readonly idempotencyKey?: string | undefined
}

/** Takes money. Its store is the folder `charges`: a file for each charge, created exclusively. */
export interface PaymentProvider {
  charge(charge: Charge): Promise<void>
}

export function createPaymentProvider(stage: Stage): PaymentProvider {
  return {
    charge({ idempotencyKey, ...charge }) {
      const { orderId, customerId } = charge
      return stage.ask('payment', orderId, () => {
        const file = { folder: 'charges', key: idempotencyKey, extension: 'json' }
        stage.writeOnce(file, JSON.stringify(charge), { effect: 'charge', orderId, customerId })
      })
    },
  }
}
