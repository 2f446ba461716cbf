/** Work that takes real time, such as a picture: a simulated clock stands still meanwhile. */
export interface RealWork {
  readonly pending: number
  run<Result>(work: () => Promise<Result>): Promise<Result>
  /** Resolves when none is under way. */
  idle(): Promise<void>
}

/** One after the other, so that they always end in the same order. */
export function createRealWork(): RealWork {
  let pending = 0
  let last: Promise<unknown> = Promise.resolve()
  return {
    get pending() {
      return pending
    },
    run(work) {
      pending++
      const result = last.then(work).finally(() => pending--)
      last = result.catch(() => undefined)
      return result
    },
    async idle() {
      while (pending > 0) await last
    },
  }
}
