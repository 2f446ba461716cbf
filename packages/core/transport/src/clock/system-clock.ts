import type { Clock } from '../contract/clock.ts'

/** The longest wait that the platform's timer can do; a longer one would fire at once. */
const maxTimeoutMs = 2_147_483_647

/** The system's time and randomness. Timers keep the process alive; random numbers are not for secrets. */
export const systemClock: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  setTimer(callback, delayMs) {
    const dueAt = performance.now() + (delayMs > 0 ? delayMs : 0)
    let timeout: NodeJS.Timeout
    const arm = (): void => {
      const remaining = Math.min(Math.max(0, Math.ceil(dueAt - performance.now())), maxTimeoutMs)
      timeout = setTimeout(fire, remaining)
    }
    // The platform's timer may also fire a part of a millisecond early.
    const fire = (): void => (performance.now() < dueAt ? arm() : callback())
    arm()
    return () => clearTimeout(timeout)
  },
  defer(callback) {
    setImmediate(callback)
  },
}
