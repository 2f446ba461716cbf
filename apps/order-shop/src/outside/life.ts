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
  /** Rejects when it has ended: for what then happens without it, as an operating system closes its files. */
  readonly ended: Promise<never>
}

export function createLife(name: string, onEnd: () => void): Life {
  let alive = true
  let tell!: (error: Error) => void
  const ended = new Promise<never>((_resolve, reject) => (tell = reject))
  ended.catch(() => undefined)
  return {
    name,
    ended,
    get alive() {
      return alive
    },
    end() {
      if (!alive) return
      alive = false
      tell(new Error(`The process ${name} has ended`))
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
