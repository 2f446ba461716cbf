import { retry } from '@posthorn/dlq-retry'
import type { RetryPolicy } from '@posthorn/dlq-retry'

/**
 * What every service does about failures: tries again after 25 ms, 50 ms and so on, up to twice as long, five times in all,
 * and then leaves the message among the dead letters. The defaults wait longer: this is a demo.
 */
export const retryPolicy: RetryPolicy = retry({ maxAttempts: 5, backoff: { baseMs: 25 } })
