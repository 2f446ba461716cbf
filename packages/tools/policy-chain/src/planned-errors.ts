import { StoreError } from '@posthorn/store'
import { PosthornError, type ErrorPhase } from '@posthorn/transport'

const text = 'A fault that was planned.'

/** Throws what a store does that cannot be reached. */
export function storeIsAway(): never {
  throw new StoreError('POSTHORN_STORE_FAILED', text, { retryable: true })
}

export function brokerRefuses(phase: ErrorPhase, outcome?: 'rejected' | 'unknown'): PosthornError {
  const details = { phase, retryable: true, ...(outcome === undefined ? {} : { outcome }) }
  return new PosthornError('POSTHORN_BROKER_ERROR', text, details)
}
