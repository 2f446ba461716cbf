const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const

/** Milliseconds for people, exact: `1 h 30 min`, `1.5 s`, `250 ms`. */
export function formatMs(ms: number): string {
  if (!Number.isFinite(ms)) return 'for ever'
  if (ms < 1_000) return `${ms} ms`
  const parts: string[] = []
  let left = ms
  for (const [unit, length] of units) {
    const count = unit === 's' ? left / length : Math.floor(left / length)
    if (count > 0) parts.push(`${count} ${unit}`)
    left -= Math.floor(left / length) * length
  }
  return parts.join(' ')
}
