/** Starts so many, at most `size` at a time, the next one whenever one has ended. Rejects with the first error. */
export function inWindow(
  count: number,
  size: number,
  start: (done: (error?: unknown) => void) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let begun = 0
    let ended = 0
    const ends = (error?: unknown): void => {
      // amqplib says `null`.
      if (error !== undefined && error !== null) return reject(error)
      ended++
      if (ended === count) resolve()
      else fill()
    }
    const fill = (): void => {
      while (begun < count && begun - ended < size) {
        begun++
        start(ends)
      }
    }
    fill()
  })
}
