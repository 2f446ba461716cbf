import { custom, type Rule } from './rules.ts'

/** Where a group that does not exist yet starts. */
export const startRule: Rule = custom(
  '"earliest" or a valid Date',
  (value) => value === 'earliest' || (value instanceof Date && !Number.isNaN(value.getTime())),
)
