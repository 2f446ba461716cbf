/** The name that `given` was most likely meant to be; `undefined` when none is near. */
export function nearestName(given: string, names: readonly string[]): string | undefined {
  const ranked = names
    .map((name) => ({ name, distance: name.startsWith(given) ? 0 : editDistance(given, name) }))
    .toSorted((a, b) => a.distance - b.distance)
  const [first] = ranked
  return first !== undefined && first.distance <= Math.max(2, given.length / 3) ? first.name : undefined
}

/** Levenshtein. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [index, letter] of from.split('').entries()) {
    const next = [index + 1]
    for (let at = 1; at <= to.length; at++) {
      const replaced = (row[at - 1] as number) + (letter === to[at - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[at] as number) + 1, (next[at - 1] as number) + 1))
    }
    row = next
  }
  return row[to.length] as number
}
