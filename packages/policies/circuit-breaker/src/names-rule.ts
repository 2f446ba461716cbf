import { optionRules } from '@posthorn/transport/options'

/** One name or several. */
export function namesRule(wanted: string): optionRules.Rule {
  return optionRules.custom(wanted, (value) => {
    const names: unknown[] = [value].flat()
    return names.length > 0 && names.every((name) => typeof name === 'string' && name !== '')
  })
}
