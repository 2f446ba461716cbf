import { nearestName } from './nearest-name.ts'
import { showValue } from './show-value.ts'
import { PosthornError } from '../errors.ts'
import type { OptionPlace, Rule } from './rules.ts'

export { callback, custom, duration, flag, list, oneOf, required, text, wholeNumber } from './rules.ts'
export type { OptionPlace, Rule } from './rules.ts'

const secretNames =
  /pass(word|phrase|wd)?$|secret|token|credential|url|uri$|(api|access|private)[-_]?key|connectionString/i

/**
 * Checks the options of a factory before it does anything. `where` is the call as a reader would write it, such as
 * `consume("orders")`. Options left out, or `undefined`, are fine unless their rule is `required`. Throws
 * `POSTHORN_INVALID_OPTION` or `POSTHORN_UNKNOWN_OPTION`. Values of options that sound like secrets are not shown.
 */
export function checkOptions(where: string, given: unknown, rules: Readonly<Record<string, Rule>>): void {
  checkFields({ path: where, hidden: false }, given === undefined ? {} : given, rules)
}

/** Options inside of an option. */
export function shape(rules: Readonly<Record<string, Rule>>): Rule {
  return {
    check(value, place) {
      checkFields(place, value, rules)
    },
  }
}

function checkFields(place: OptionPlace, given: unknown, rules: Readonly<Record<string, Rule>>): void {
  if (!isPlainObject(given)) {
    throw new PosthornError(
      'POSTHORN_INVALID_OPTION',
      `The options of ${place.path} must be a plain object, but are ${place.hidden ? '(hidden)' : showValue(given)}.`,
      { phase: 'options' },
    )
  }
  for (const name of Object.keys(given)) {
    if (given[name] !== undefined && !Object.hasOwn(rules, name))
      refuseUnknown(place.path, name, Object.keys(rules))
  }
  for (const [name, rule] of Object.entries(rules)) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined
    if (value === undefined && rule.required !== true) continue
    rule.check(value, { path: `${place.path}.${name}`, hidden: place.hidden || secretNames.test(name) })
  }
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  // An object of another realm has another `Object.prototype`.
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function refuseUnknown(where: string, name: string, known: readonly string[]): never {
  const near = nearestName(name, known)
  const suggestion = near === undefined ? '' : ` Did you mean "${near}"?`
  const options = known.length === 0 ? 'There are none here.' : `Known options: ${known.join(', ')}.`
  throw new PosthornError(
    'POSTHORN_UNKNOWN_OPTION',
    `${where} has no option ${showValue(name)}.${suggestion} ${options}`,
    { phase: 'options' },
  )
}
