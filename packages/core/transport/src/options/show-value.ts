const maxLength = 100

/** A value for an error message, short and on one line. Never throws, and never shows what is inside an object. */
export function showValue(value: unknown): string {
  try {
    if (typeof value === 'string') return showString(value)
    if (typeof value === 'bigint') return `${String(value).slice(0, maxLength)}n`
    if (typeof value === 'symbol' || typeof value === 'function') return `a ${typeof value}`
    if (typeof value === 'object') return showObject(value)
    // Of numbers, `String` shows all but the sign of zero.
    return Object.is(value, -0) ? '-0' : `${value as number | boolean | undefined}`
  } catch {
    return 'a value that cannot be shown'
  }
}

function showString(value: string): string {
  if (value.length <= maxLength) return JSON.stringify(value)
  return `${JSON.stringify(value.slice(0, maxLength))}… (${value.length} characters)`
}

function showObject(value: object | null): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid Date' : value.toISOString()
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name
  return typeof name === 'string' && name !== '' && name !== 'Object'
    ? `an object (${name.slice(0, 40)})`
    : 'an object'
}
