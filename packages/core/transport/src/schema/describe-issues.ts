import type { StandardIssue } from './standard-schema.ts'

const maxIssues = 5
const maxCharacters = 400

/** What a schema found wrong, on one line that fits a header: the first five issues with their paths. */
export function describeIssues(issues: readonly StandardIssue[]): string {
  const shown = issues.slice(0, maxIssues).map(describe)
  if (issues.length > maxIssues) shown.push(`and ${issues.length - maxIssues} more`)
  const text = shown.join('; ').replaceAll(/\s+/g, ' ')
  return text.length <= maxCharacters ? text : `${text.slice(0, maxCharacters - 1)}…`
}

function describe({ message, path }: StandardIssue): string {
  if (path === undefined || path.length === 0) return message
  const keys = path.map((step) => String(typeof step === 'object' ? step.key : step))
  return `${keys.join('.')}: ${message}`
}
