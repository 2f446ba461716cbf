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
    text = JSON.stringify(sorted(payload, 0))
  } catch (cause) {
    throw unhashable(cause instanceof Error ? cause.message : 'it throws', cause)
  }
  if (text === undefined) throw unhashable('nothing is left of it', undefined)
  return text
}

const deepest = 100

/** A copy with the keys of objects in order: quicker than having `JSON.stringify` call back for each. */
function sorted(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth === deepest) return asJson(value)
  if (Array.isArray(value)) return value.map((item) => sorted(item, depth + 1))
  if (!isPlain(value)) return asJson(value)
  const copy: Record<string, unknown> = {}
  for (const key of inOrder(Object.keys(value))) {
    const item = sorted(value[key], depth + 1)
    if (key !== '__proto__') copy[key] = item
    else Object.defineProperty(copy, key, { value: item, enumerable: true })
  }
  return copy
}

/** Most objects have few keys, which `sort` takes as long for as all the rest. */
function inOrder(keys: string[]): string[] {
  if (keys.length > 20) return keys.sort()
  for (let index = 1; index < keys.length; index += 1) {
    const key = keys[index]!
    let place = index
    for (; place > 0 && keys[place - 1]! > key; place -= 1) keys[place] = keys[place - 1]!
    keys[place] = key
  }
  return keys
}

/** What JSON makes of dates and the like. It also finds what is endless. */
function asJson(value: object): unknown {
  const text = JSON.stringify(value) as string | undefined
  return text === undefined ? undefined : sorted(JSON.parse(text), 0)
}

function isPlain(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return false
  return typeof (value as { readonly toJSON?: unknown }).toJSON !== 'function'
}

function unhashable(reason: string, cause: unknown): StoreError {
  const text = `payloadHash takes bytes or what JSON can hold, and got a value that it cannot: ${reason}.`
  return new StoreError('POSTHORN_INVALID_OPTION', text, { phase: 'options', cause })
}
