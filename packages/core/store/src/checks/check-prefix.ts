import { invalid, type Place } from './rules.ts'

const defaultPrefix = 'posthorn_'

/** The beginning of the names of tables, which becomes a part of statements as it is. Throws `POSTHORN_INVALID_OPTION`. */
export function checkPrefix(prefix: unknown, place: Place): string {
  if (prefix === undefined) return defaultPrefix
  if (typeof prefix === 'string' && /^[a-z_][a-z0-9_]{0,39}$/.test(prefix)) return prefix
  throw invalid(place, '1 to 40 of a-z, 0-9 and _, not beginning with a digit', prefix)
}
