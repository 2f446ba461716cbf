import { exponential } from '@posthorn/transport'
import type { ConsumeOptions } from '@posthorn/transport'

/**
 * How every service takes its messages: those of one customer in order, those of others meanwhile. A failed message is
 * tried again after 50 ms, 100 ms and so on, five times in all, and then goes to the dead letters. The defaults wait
 * longer: this is a demo.
 */
export const byCustomer = {
  order: 'key',
  retryDelay: exponential({ baseMs: 50 }),
} as const satisfies ConsumeOptions
