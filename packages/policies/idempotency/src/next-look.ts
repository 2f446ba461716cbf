/** Whoever handles the same now may be done long before its lease, which it renews. Milliseconds. */
const shortestMs = 50
const longestMs = 5_000

/** When to look again at what somebody else has claimed, for `remainingMs` more unless that is renewed. Milliseconds from now. */
export function nextLookMs(remainingMs: number): number {
  return Math.max(shortestMs, Math.min(remainingMs, longestMs))
}
