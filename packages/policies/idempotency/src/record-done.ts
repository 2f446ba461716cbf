import { isStoreError, type CompleteRequest } from '@posthorn/store'
import type { Clock } from '@posthorn/transport'

const firstWaitMs = 100
const longestWaitMs = 5_000

/**
 * The effect is there: its record is tried again while the store fails and `mayWait` says so. Rejects with the store's last
 * error. A completion may be said twice.
 */
export async function recordDone(
  complete: (request: CompleteRequest) => Promise<'completed' | 'lost'>,
  request: CompleteRequest,
  clock: Clock,
  mayWait: (error: unknown) => boolean,
): Promise<'completed' | 'lost'> {
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(2 * waitMs, longestWaitMs)) {
    try {
      return await complete(request)
    } catch (error) {
      if (!isStoreError(error) || !mayWait(error)) throw error
      await new Promise<void>((resolve) => void clock.setTimer(resolve, waitMs))
    }
  }
}
