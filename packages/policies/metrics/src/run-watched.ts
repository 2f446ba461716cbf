import type { Clock } from '@posthorn/transport'
import type { Meters } from './meters.ts'

/** Counts and times a call of anything as an attempt at `source`: an answer is an ack, and a throw a retry. */
export type RunWatched = <Result>(source: string, call: () => Result | PromiseLike<Result>) => Promise<Result>

export function createRun(meters: Meters, clock: Clock): RunWatched {
  return async (source, call) => {
    const running = meters.running.of(source)
    meters.received.of(source).add()
    running.add()
    const begunAt = clock.now()
    try {
      const result = await call()
      meters.handled.of(source, 'ack').add()
      meters.processingSeconds.of(source).observe(Math.max(0, clock.now() - begunAt) / 1_000)
      return result
    } catch (error) {
      meters.handled.of(source, 'retry').add()
      throw error
    } finally {
      running.add(-1)
    }
  }
}
