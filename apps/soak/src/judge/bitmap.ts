/** One bit for each whole number below `size`. */
export class Bitmap {
  readonly size: number
  /** How many are set. */
  count = 0
  readonly #bytes: Uint8Array

  constructor(size: number) {
    this.size = size
    this.#bytes = new Uint8Array(Math.ceil(size / 8))
  }

  has(number: number): boolean {
    return ((this.#bytes[number >> 3] ?? 0) & (1 << (number & 7))) !== 0
  }

  /** Answers whether it was not set before. */
  add(number: number): boolean {
    if (!Number.isInteger(number) || number < 0 || number >= this.size)
      throw new RangeError(`${number} is no number from 0 to ${this.size - 1}`)
    if (this.has(number)) return false
    const index = number >> 3
    this.#bytes[index] = (this.#bytes[index] ?? 0) | (1 << (number & 7))
    this.count++
    return true
  }
}
