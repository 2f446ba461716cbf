/**
 * A process, as far as one can be had inside another. When it has ended, nothing that it waits for comes back to it, so
 * its code goes no further: what a crash does.
 */
export interface Life {
  readonly name: string
  readonly alive: boolean
  /** Ends it, once. */
  end(): void
  wait<Result>(promise: Promise<Result>): Promise<Result>
}

export function createLife(name: string, onEnd: () => void): Life {
  let alive = true
  return {
    name,
    get alive() {
      return alive
    },
    end() {
      if (!alive) return
      alive = false
      onEnd()
    },
    wait(promise) {
      return new Promise((resolve, reject) => {
        promise.then(
          (result) => alive && resolve(result),
          (error: unknown) => alive && reject(error as Error),
        )
      })
    },
  }
}
