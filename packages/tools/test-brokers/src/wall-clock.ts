import { setImmediate as immediate, setTimeout as timeout } from 'node:timers/promises'

// Servers, sockets and processes live in real time, so these tools do too.

export async function delay(durationMs: number): Promise<void> {
  await timeout(durationMs)
}

/** Resolves after the input and output that is ready now. */
export async function nextTurn(): Promise<void> {
  await immediate()
}

/** Milliseconds on a clock that is never set back. */
export function monotonicMs(): number {
  return performance.now()
}

/** `undefined` when the promise has not settled within the time; the timer does not outlive it. */
export async function within<Value>(durationMs: number, promise: Promise<Value>): Promise<Value | undefined> {
  const abandon = new AbortController()
  const timer = timeout(durationMs, undefined, { signal: abandon.signal }).catch(() => undefined)
  try {
    return await Promise.race([promise, timer])
  } finally {
    abandon.abort()
  }
}
