import { types } from 'node:util'
import { PosthornError } from '../errors.ts'
import { showValue } from '../options/show-value.ts'

/** The deepest nesting of objects and arrays that is sent or read. */
export const maxDepth = 1_000

/**
 * Whether `JSON.stringify` gives exactly this value: plain objects and arrays of strings, finite numbers, booleans and
 * null. Quick; what it does not know at once is left to `toJson`. A circle is found by its depth.
 */
export function isPlainJson(value: unknown, depth: number): boolean {
  if (typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object') return false
  if (value === null) return true
  if (depth >= maxDepth || (value as { toJSON?: unknown }).toJSON !== undefined) return false
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      if (!isPlainJson(value[index], depth + 1)) return false
    }
    return true
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return false
  for (const key in value) {
    const field = (value as Record<string, unknown>)[key]
    // Most fields are strings; a call for each would be most of the work.
    if (typeof field === 'string' || field === undefined) continue
    if (!isPlainJson(field, depth + 1)) return false
  }
  return true
}

/**
 * The same data as plain objects and arrays, with `toJSON` called once on whatever has it. Throws
 * `POSTHORN_INVALID_DATA`, naming the path, for what JSON would lose or change.
 */
export function toJson(data: unknown): unknown {
  const ancestors: object[] = []

  function convert(value: unknown, path: string): unknown {
    if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value
    if (typeof value === 'number') {
      return Number.isFinite(value)
        ? value
        : refuse(path, `is ${value}`, 'Send a finite number, a string or null')
    }
    if (typeof value === 'bigint') return refuse(path, 'is a BigInt', 'Send it as a string')
    if (typeof value === 'object') return convertObject(value, path)
    return refuse(
      path,
      `is ${showValue(value)}`,
      path === '$' ? 'Send null for nothing' : 'Leave it out, or send null',
    )
  }

  function convertObject(value: object, path: string): unknown {
    if (types.isNumberObject(value) || types.isStringObject(value) || types.isBooleanObject(value)) {
      return convert(value.valueOf(), path)
    }
    const unfit = nameUnfit(value)
    if (unfit !== undefined) return refuse(path, `is ${unfit.what}`, unfit.instead)
    if (ancestors.includes(value))
      return refuse(path, 'is circular: it contains itself', 'Send ids in place of references')
    if (ancestors.length >= maxDepth)
      return refuse(path, `is nested more than ${maxDepth} deep`, 'Send flatter data')
    ancestors.push(value)
    const copy = Array.isArray(value)
      ? convertItems(value, path)
      : convertFields(value as Record<string, unknown>, path)
    ancestors.pop()
    return copy
  }

  function convertItems(items: readonly unknown[], path: string): unknown[] {
    return Array.from(items, (item, index) => {
      const itemPath = `${path}[${index}]`
      return convert(callToJson(item, itemPath, String(index)), itemPath)
    })
  }

  function convertFields(value: Record<string, unknown>, path: string): Record<string, unknown> {
    // Without a prototype, a field named `__proto__` is a field like any other.
    const copy: Record<string, unknown> = Object.create(null)
    for (const key of Object.keys(value)) {
      const fieldPath = `${path}${showKey(key)}`
      const field = callToJson(value[key], fieldPath, key)
      if (field !== undefined) copy[key] = convert(field, fieldPath)
    }
    return copy
  }

  return convert(callToJson(data, '$', ''), '$')
}

function callToJson(value: unknown, path: string, key: string): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (types.isDate(value) && Number.isNaN(value.getTime())) {
    return refuse(path, 'is an invalid Date', 'Check the date before sending')
  }
  const { toJSON } = value as { readonly toJSON?: unknown }
  if (typeof toJSON !== 'function') return value
  try {
    return Reflect.apply(toJSON, value, [key])
  } catch (error) {
    return refuse(path, 'has a toJSON that threw', 'See the cause', error)
  }
}

function nameUnfit(value: object): { readonly what: string; readonly instead: string } | undefined {
  if (types.isMap(value))
    return { what: 'a Map, which JSON would empty', instead: 'Send `Object.fromEntries(map)` or `[...map]`' }
  if (types.isSet(value)) return { what: 'a Set, which JSON would empty', instead: 'Send `[...set]`' }
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) {
    return {
      what: `binary (${value.constructor.name})`,
      instead: 'Send a Uint8Array as the whole data, or a base64 string inside of it',
    }
  }
  if (types.isPromise(value)) return { what: 'a Promise', instead: 'Await it before sending' }
  if (types.isNativeError(value))
    return { what: 'an Error, which JSON would empty', instead: 'Send its name and message' }
  if (types.isRegExp(value)) return { what: 'a RegExp, which JSON would empty', instead: 'Send its source' }
  if (types.isWeakMap(value) || types.isWeakSet(value))
    return { what: 'a weak collection', instead: 'Send an array' }
  if (types.isBigIntObject(value)) return { what: 'a BigInt', instead: 'Send it as a string' }
  if (types.isSymbolObject(value)) return { what: 'a symbol', instead: 'Send a string' }
  return undefined
}

const showKey = (key: string): string =>
  /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `.${key}` : `[${showValue(key)}]`

function refuse(path: string, problem: string, instead: string, cause?: unknown): never {
  const shown = path.length > 300 ? `${path.slice(0, 150)}…${path.slice(-150)}` : path
  throw new PosthornError(
    'POSTHORN_INVALID_DATA',
    `The data cannot be sent as JSON: ${shown} ${problem}. ${instead}.`,
    {
      phase: 'publish',
      outcome: 'rejected',
      cause,
    },
  )
}
