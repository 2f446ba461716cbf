/** Numbers of at least 0 and below 1 with 53 random bits, the same for the same seed (sfc32). */
export function createSeededRandom(seed: number): () => number {
  let a = 0x9e3779b9
  let b = seed | 0
  let c = Math.trunc(seed / 0x1_0000_0000) | 0
  let counter = 1

  const next = (): number => {
    const result = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + result
    return result >>> 0
  }
  // The first numbers of near seeds are alike.
  for (let round = 0; round < 15; round += 1) next()
  return () => ((next() >>> 5) * 0x400_0000 + (next() >>> 6)) / 0x20_0000_0000_0000
}
