/** What an AMQP argument can be. */
export type ArgumentValue = string | number | boolean

/** The first argument in which an object differs from its declaration. */
export interface Inequivalent {
  readonly argument: string
  readonly object: string
  /** `undefined`: it is not set. */
  readonly wanted: ArgumentValue | undefined
  readonly found: ArgumentValue | undefined
}

const sentence =
  /inequivalent arg '([^']+)' for (?:exchange|queue) '(.*?)' in vhost .*?: received (.*?) but current is (.*?)"?$/s

/** Reads the broker's answer to a declaration that does not fit (406); `undefined` when it says something else. */
export function readInequivalent(text: string): Inequivalent | undefined {
  const [, argument, object, wanted, found] = sentence.exec(text) ?? []
  if (argument === undefined || object === undefined) return undefined
  return { argument, object, wanted: readValue(wanted), found: readValue(found) }
}

/** `none`, `'true'`, or `the value '10' of type 'signedint'`. */
function readValue(text: string | undefined): ArgumentValue | undefined {
  if (text === undefined || text === 'none') return undefined
  const [, value = text] = /'(.*)' of type/s.exec(text) ?? /^'(.*)'$/s.exec(text) ?? []
  const type = /of type '(\w+)'$/.exec(text)?.[1]
  if (value === 'true' || value === 'false') return value === 'true'
  const isNumber = type !== 'longstr' && /^-?\d+$/.test(value)
  return isNumber ? Number(value) : value
}
