import type { HeldScope } from './held-scope.ts'

/**
 * Shares a consumer's prefetch among its scopes, so that a blocked one cannot eat it all. Half is guaranteed in even
 * parts, one at least each; the other half goes to whoever has messages. Where changing a window is dear (`fixed`), all
 * of it is in even parts.
 */
export function shareWindows(
  scopes: readonly HeldScope[],
  prefetch: number,
  flow: 'dynamic' | 'fixed',
): number[] {
  const count = scopes.length
  if (count === 0) return []
  if (count === 1) return [prefetch]
  if (flow === 'fixed') {
    const even = Math.max(1, Math.floor(prefetch / count))
    return scopes.map(() => even)
  }
  const guaranteed = Math.max(1, Math.floor(prefetch / (2 * count)))
  let pool = prefetch - guaranteed * count
  for (const scope of scopes) pool -= Math.max(0, scope.unsettled - guaranteed)
  const free = Math.max(0, pool)
  return scopes.map((scope) => Math.max(scope.unsettled, guaranteed) + free)
}
