const quote = 0x22
const backslash = 0x5c
/** With this bit set, `[` is `{` and `]` is `}`. */
const caseBit = 0x20
const opening = 0x7b
const closing = 0x7d

/** Whether JSON text is nested deeper than `maxDepth`, found out before any of it is parsed. */
export function isDeeperThan(json: string, maxDepth: number): boolean {
  // Each level needs a bracket at both of its ends.
  if (json.length <= 2 * maxDepth || !hasMoreOpenings(json, maxDepth)) return false
  let depth = 0
  for (let index = 0; index < json.length; index += 1) {
    const code = json.charCodeAt(index)
    if (code === quote) {
      index = findStringEnd(json, index + 1)
    } else if ((code | caseBit) === opening) {
      depth += 1
      if (depth > maxDepth) return true
    } else if ((code | caseBit) === closing) {
      depth -= 1
    }
  }
  return false
}

function findStringEnd(json: string, start: number): number {
  let index = start
  while (index < json.length) {
    const code = json.charCodeAt(index)
    if (code === quote) break
    index += code === backslash ? 2 : 1
  }
  return index
}

/** Searching is many times quicker than looking at each character, and most bodies have few brackets. */
function hasMoreOpenings(json: string, max: number): boolean {
  let count = 0
  for (const bracket of ['[', '{']) {
    for (let at = json.indexOf(bracket); at !== -1; at = json.indexOf(bracket, at + 1)) {
      count += 1
      if (count > max) return true
    }
  }
  return false
}
