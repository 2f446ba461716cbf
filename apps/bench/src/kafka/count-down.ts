/** Counts what is handled. */
export interface CountDown {
  /** One has been handled, or so many. */
  readonly handled: (count?: number) => void
  /** Resolves with the last. */
  readonly done: Promise<void>
  /** Rejects `done`. */
  readonly failed: (error: unknown) => void
}

/** `begins` is called before the first. */
export function countDown(messages: number, begins: () => void): CountDown {
  let left = messages
  let resolve = (): void => {}
  let reject: (error: unknown) => void = () => {}
  const done = new Promise<void>((resolves, rejects) => {
    resolve = resolves
    reject = rejects
  })
  return {
    handled(count = 1) {
      if (left === messages) begins()
      left -= count
      if (left <= 0) resolve()
    },
    done,
    failed: reject,
  }
}
