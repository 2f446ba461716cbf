import { showValue } from './show-value.ts'
import { PosthornError } from '../errors.ts'

/** Where an option stands, for errors. */
export interface OptionPlace {
  /** As a reader would write it: `consume("orders").concurrency`. */
  readonly path: string
  /** Its value is a secret, so it is not shown. */
  readonly hidden: boolean
}

/** What an option may be. */
export interface Rule {
  readonly required?: true
  /** Throws `POSTHORN_INVALID_OPTION` when the value cannot work. */
  check(value: unknown, place: OptionPlace): void
}

/** `wanted` completes the sentence "it must be …". */
function createRule(wanted: string, accepts: (value: unknown) => boolean): Rule {
  return {
    check(value, place) {
      if (accepts(value)) return
      const shown = value === undefined ? 'is missing' : `is ${place.hidden ? '(hidden)' : showValue(value)}`
      throw new PosthornError('POSTHORN_INVALID_OPTION', `${place.path} must be ${wanted}, but ${shown}.`, {
        phase: 'options',
      })
    },
  }
}

interface Bounds {
  readonly min?: number
  readonly max?: number
}

const noMaximum = Number.MAX_SAFE_INTEGER
const show = (bound: number): string => bound.toLocaleString('en')

function describeRange(min: number, max: number): string {
  return max >= noMaximum ? `from ${show(min)}` : `from ${show(min)} to ${show(max)}`
}

function describeCount(min: number, max: number): string {
  return max >= noMaximum ? `at least ${show(min)}` : `${show(min)} to ${show(max)}`
}

/** A whole number; `min` is 0 unless given. */
export function wholeNumber(bounds: Bounds = {}): Rule {
  const { min = 0, max = noMaximum } = bounds
  return createRule(
    `a whole number ${describeRange(min, max)}`,
    (value) => Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max,
  )
}

/** A finite number of milliseconds; `min` is 0 unless given. */
export function duration(bounds: Bounds = {}): Rule {
  const { min = 0, max = noMaximum } = bounds
  return createRule(
    `a number of milliseconds ${describeRange(min, max)}`,
    (value) => Number.isFinite(value) && (value as number) >= min && (value as number) <= max,
  )
}

export function oneOf(...values: readonly (string | number | boolean)[]): Rule {
  const shown = values.map((value) => showValue(value)).join(', ')
  return createRule(values.length === 1 ? shown : `one of ${shown}`, (value) =>
    (values as readonly unknown[]).includes(value),
  )
}

/** A string of 1 (or `min`) to `max` characters. */
export function text(bounds: Bounds = {}): Rule {
  const { min = 1, max = noMaximum } = bounds
  const unbounded = max >= noMaximum && min <= 1
  const ordinary = min === 0 ? 'a string' : 'a string that is not empty'
  return createRule(
    unbounded ? ordinary : `a string of ${describeCount(min, max)} characters`,
    (value) => typeof value === 'string' && value.length >= min && value.length <= max,
  )
}

export function flag(): Rule {
  return createRule('true or false', (value) => typeof value === 'boolean')
}

export function callback(): Rule {
  return createRule('a function', (value) => typeof value === 'function')
}

/** An array whose items each keep `rule`; errors name the item. */
export function list(rule: Rule, bounds: Bounds = {}): Rule {
  const { min = 0, max = noMaximum } = bounds
  const array = createRule(
    min === 0 && max >= noMaximum ? 'an array' : `an array of ${describeCount(min, max)} items`,
    (value) => Array.isArray(value) && value.length >= min && value.length <= max,
  )
  return {
    check(value, place) {
      array.check(value, place)
      for (const [index, item] of Array.from(value as readonly unknown[]).entries()) {
        rule.check(item, { path: `${place.path}[${index}]`, hidden: place.hidden })
      }
    },
  }
}

/** The same rule for an option that may not be left out. */
export function required(rule: Rule): Rule {
  return { required: true, check: (value, place) => rule.check(value, place) }
}

/** Any other rule; `wanted` completes the sentence "it must be …". */
export function custom(wanted: string, accepts: (value: unknown) => boolean): Rule {
  return createRule(wanted, accepts)
}
