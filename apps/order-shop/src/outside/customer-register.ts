import type { Stage } from './stage.ts'

/** Knows how customers want to be addressed. */
export interface CustomerRegister {
  /** How to begin a letter to them. `orderId`: what it is about. */
  greeting(customer: { readonly id: string; readonly name: string }, orderId: string): Promise<string>
}

const greetings = ['Dear', 'Hello', 'Good day,'] as const

export function createCustomerRegister(stage: Stage): CustomerRegister {
  return {
    greeting({ id, name }, orderId) {
      return stage.ask('customers', orderId, () => `${greetings[id.length % greetings.length]} ${name}`)
    },
  }
}
