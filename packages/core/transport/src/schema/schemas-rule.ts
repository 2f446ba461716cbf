import { custom, type Rule } from '../options/check-options.ts'

/** The rule of an option that holds a Standard Schema for each name. */
export const schemasRule: Rule = custom(
  'an object with a Standard Schema (Zod, Valibot, ArkType, …) for each name',
  (value) => typeof value === 'object' && value !== null && Object.values(value).every(isStandardSchema),
)

function isStandardSchema(value: unknown): boolean {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  const standard = (value as { readonly '~standard'?: { readonly validate?: unknown } })['~standard']
  return typeof standard?.validate === 'function'
}
