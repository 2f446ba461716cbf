import { hash } from 'node:crypto'
import { StoreError } from './store-error.ts'

/**
 * A text that is the same for the same payload: bytes by their content, anything else by its JSON with the keys of objects
 * sorted. SHA-256. Throws `POSTHORN_INVALID_OPTION` for what JSON cannot hold.
 */
export function payloadHash(payload: unknown): string {
  return hash('sha256', payload instanceof Uint8Array ? payload : canonicalJson(payload), 'base64url')
}

function canonicalJson(payload: unknown): string {
  let text: string | undefined
  try {
    text = JSON.stringify(payload, sortKeys)
  } catch (cause) {
    throw unhashable(cause instanceof Error ? cause.message : 'it throws', cause)
  }
  if (text === undefined) throw unhashable('nothing is left of it', undefined)
  return text
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function unhashable(reason: string, cause: unknown): StoreError {
  const text = `payloadHash takes bytes or what JSON can hold, and got a value that it cannot: ${reason}.`
  return new StoreError('POSTHORN_INVALID_OPTION', text, { phase: 'options', cause })
}
