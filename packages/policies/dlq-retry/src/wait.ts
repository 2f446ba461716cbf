import type { Clock } from '@posthorn/transport'

/** Resolves after so many milliseconds with true, or with false as soon as `signal` aborts. */
export function wait(clock: Clock, delayMs: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false)
  return new Promise((resolve) => {
    const abort = (): void => {
      cancel()
      resolve(false)
    }
    const cancel = clock.setTimer(() => {
      signal.removeEventListener('abort', abort)
      resolve(true)
    }, delayMs)
    signal.addEventListener('abort', abort, { once: true })
  })
}
