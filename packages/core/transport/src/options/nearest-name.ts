/** The known name that `given` was probably meant to be, if one is near. */
export function nearestName(given: string, known: readonly string[]): string | undefined {
  if (given.length > 100) return undefined
  let nearest: string | undefined
  let farthest = Math.max(2, Math.floor(given.length / 3))
  for (const name of known) {
    const distance = editDistance(given.toLowerCase(), name.toLowerCase())
    if (distance > farthest || distance >= name.length) continue
    nearest = name
    farthest = distance - 1
  }
  return nearest
}

/** Insertions, deletions and replacements of single characters that make one text the other. */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= to.length; column += 1) {
      const replacement = previous[column - 1]! + (from[row - 1] === to[column - 1] ? 0 : 1)
      current.push(Math.min(replacement, previous[column]! + 1, current[column - 1]! + 1))
    }
    previous = current
  }
  return previous[to.length]!
}
