import { StoreError } from '../store-error.ts'

/** Where a value stands: `claim()`, the first of it, its `key`. Put together only for an error, since each request has several. */
export interface Place {
  readonly parent?: Place
  readonly step: string | number
}

/** Throws `POSTHORN_INVALID_OPTION` when the value cannot work. */
export type Rule = (value: unknown, place: Place) => void

const maxNameLength = 512
/** Ten years. */
const maxDurationMs = 315_360_000_000

/** A name that the database keeps an index of. */
export const name: Rule = (value, place) => {
  if (typeof value !== 'string' || value === '' || value.length > maxNameLength)
    throw invalid(place, `a text of 1 to ${maxNameLength} characters`, value)
  storable(value, place)
}

/** A text of any length, the empty one included. */
export const text: Rule = (value, place) => {
  if (typeof value !== 'string') throw invalid(place, 'a text, such as JSON', value)
  storable(value, place)
}

/** Milliseconds from `min` to ten years. */
export function duration(min: number): Rule {
  return wholeNumber(min, maxDurationMs, 'a whole number of milliseconds')
}

export function wholeNumber(min: number, max: number, what = 'a whole number'): Rule {
  return (value, place) => {
    if (!Number.isSafeInteger(value) || (value as number) < min || (value as number) > max)
      throw invalid(place, `${what} from ${min} to ${max}`, value)
  }
}

export function list(rule: Rule, maxItems: number): Rule {
  return (value, place) => {
    if (!Array.isArray(value) || value.length > maxItems)
      throw invalid(place, `an array of at most ${maxItems}`, value)
    for (let index = 0; index < value.length; index += 1) rule(value[index], { parent: place, step: index })
  }
}

export function optional(rule: Rule): Rule {
  return (value, place) => {
    if (value !== undefined) rule(value, place)
  }
}

/** An object with these fields and no others. */
export function fields(rules: Readonly<Record<string, Rule>>): Rule {
  const entries = Object.entries(rules)
  return (value, place) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw invalid(place, 'an object', value)
    for (const key in value) {
      if (Object.hasOwn(rules, key)) continue
      const known = Object.keys(rules).join(', ')
      const message = `${showPlace(place)} has no option ${show(key)}. Known options: ${known}.`
      throw new StoreError('POSTHORN_UNKNOWN_OPTION', message, { phase: 'options' })
    }
    for (const [key, rule] of entries)
      rule((value as Record<string, unknown>)[key], { parent: place, step: key })
  }
}

export function invalid(place: Place, wanted: string, value: unknown): StoreError {
  const shown = value === undefined ? 'is missing' : `is ${show(value)}`
  return new StoreError('POSTHORN_INVALID_OPTION', `${showPlace(place)} must be ${wanted}, but ${shown}.`, {
    phase: 'options',
  })
}

const unstorable = /[\0\p{Surrogate}]/u

/** Databases refuse these, or store something else without a word. */
function storable(value: string, place: Place): void {
  if (!unstorable.test(value)) return
  const message = `${showPlace(place)} holds a NUL character or half of a surrogate pair, which not every database can store. JSON.stringify escapes both.`
  throw new StoreError('POSTHORN_INVALID_OPTION', message, { phase: 'options' })
}

/** As a reader would write it: `claim()[0].key`. */
function showPlace({ parent, step }: Place): string {
  if (parent === undefined) return String(step)
  return `${showPlace(parent)}${typeof step === 'number' ? `[${step}]` : `.${step}`}`
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value)
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === 'object' && value !== null) return 'an object'
  return typeof value === 'function' ? 'a function' : String(value)
}
