import { isStoreError, type StoreError } from '@posthorn/store'
import type { Clock } from '@posthorn/transport'

const firstWaitMs = 100
const longestWaitMs = 5_000

/**
 * The effect is there, and its record failed with `error`: it is tried again while it is the store that fails and `mayWait`
 * says so. Rejects with the last error. A completion may be said twice.
 */
export async function recordAgain<Done>(
  error: unknown,
  complete: () => Promise<Done>,
  clock: Clock,
  mayWait: (error: StoreError) => boolean,
): Promise<Done> {
  let last = error
  for (
    let waitMs = firstWaitMs;
    isStoreError(last) && mayWait(last);
    waitMs = Math.min(2 * waitMs, longestWaitMs)
  ) {
    await new Promise<void>((resolve) => void clock.setTimer(resolve, waitMs))
    try {
      return await complete()
    } catch (thrown) {
      last = thrown
    }
  }
  throw last
}
