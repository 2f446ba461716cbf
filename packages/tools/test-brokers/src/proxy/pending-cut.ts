/** A cut that waits for so many frames or bytes. */
export interface PendingCut {
  readonly happened: boolean
  /** True when it has happened; false when it was called off, by `heal`, `close` or another cut in this direction. */
  readonly done: Promise<boolean>
}

export type CutUnit = 'frames' | 'bytes'

/** Counts one direction of all connections together towards a cut. */
export class CutCounter implements PendingCut {
  happened = false
  readonly done: Promise<boolean>
  #remaining: number
  #unit: CutUnit
  #settle!: (happened: boolean) => void

  constructor(count: number, unit: CutUnit) {
    if (!Number.isInteger(count) || count < 1)
      throw new Error(`A cut needs a whole number of ${unit} from 1, not ${count}`)
    this.#remaining = count
    this.#unit = unit
    this.done = new Promise((resolve) => {
      this.#settle = resolve
    })
  }

  /** How many of the bytes pass before the cut; undefined when all pass and it is still to come. */
  admit(bytes: Buffer, frameEnds: readonly number[]): number | undefined {
    const ends = this.#unit === 'frames' ? frameEnds[this.#remaining - 1] : this.#remaining
    if (ends !== undefined && ends <= bytes.length) return ends
    this.#remaining -= this.#unit === 'frames' ? frameEnds.length : bytes.length
    return undefined
  }

  settle(happened: boolean): void {
    this.happened = happened
    this.#settle(happened)
  }
}
