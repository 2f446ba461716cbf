/** Numbers of at least 0 and below 1, the same for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
}

/** Picks `count` different ones, or all there are, in the order of the list. */
export function sample<Item>(random: () => number, list: readonly Item[], count: number): Item[] {
  const left = [...list.keys()]
  const picked: number[] = []
  while (picked.length < count && left.length > 0) {
    picked.push(...left.splice(Math.floor(random() * left.length), 1))
  }
  return picked.toSorted((a, b) => a - b).map((index) => list[index] as Item)
}
