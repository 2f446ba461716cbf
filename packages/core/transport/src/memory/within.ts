import type { Clock } from '../contract/clock.ts'

/** Ends with the work, or after `ms` milliseconds without it. Never rejects. */
export function within(clock: Clock, ms: number, work: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.setTimer(resolve, ms)
    const end = (): void => {
      cancel()
      resolve()
    }
    work.then(end, end)
  })
}
