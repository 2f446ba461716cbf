import { isStoreError, StoreError } from '../store-error.ts'

/** Answers of a server that is starting, changing its role, moving a slot, or out of memory: they pass. */
const passing: readonly string[] = [
  'BUSY',
  'CLUSTERDOWN',
  'LOADING',
  'MASTERDOWN',
  'MISCONF',
  'NOREPLICAS',
  'OOM',
  'READONLY',
  'TRYAGAIN',
  'UNBLOCKED',
]

/** What the client rejected with, as an error of the store. */
export function fromRedis(error: unknown): StoreError {
  if (isStoreError(error)) return error
  const message = error instanceof Error ? error.message : String(error)
  const isReply = error instanceof Error && error.name === 'ReplyError'
  // What is no reply came from the way there.
  const retryable = !isReply || passing.includes(firstWord(message))
  return new StoreError('POSTHORN_STORE_FAILED', `Redis failed: ${message}`, { retryable, cause: error })
}

/** A script that the server does not have, or has no more. */
export function isMissingScript(error: unknown): boolean {
  return error instanceof Error && firstWord(error.message) === 'NOSCRIPT'
}

function firstWord(message: string): string {
  return message.split(' ', 1)[0] ?? ''
}
