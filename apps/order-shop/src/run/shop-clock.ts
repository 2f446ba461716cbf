import type { Clock } from '@posthorn/transport'
import { systemClock } from '@posthorn/transport/driver'
import { createVirtualClock } from '@posthorn/transport/testing'
import type { VirtualClock } from '@posthorn/transport/testing'
import type { RealWork } from '../outside/real-work.ts'

/** A clock, and how to wait for something that happens by it. */
export interface ShopClock {
  readonly clock: Clock
  run<Result>(work: Promise<Result>, realWork: RealWork): Promise<Result>
}

export function createRealTime(): ShopClock {
  return { clock: systemClock, run: (work) => work }
}

/**
 * Simulated time: it jumps from one moment at which something happens to the next, and stands still while a picture is
 * made. With the same seed everything happens in the same order. `speed`: how many times faster than real time it may go,
 * for people to watch.
 */
export function createSimulatedTime(seed: number, speed: number = Infinity): ShopClock {
  const clock = createVirtualClock({ seed })
  return { clock, run: (work, realWork) => drive(clock, speed, work, realWork) }
}

async function drive<Result>(
  clock: VirtualClock,
  speed: number,
  work: Promise<Result>,
  realWork: RealWork,
): Promise<Result> {
  const startedAt = { simulated: clock.now(), real: systemClock.now() }
  /** How far ahead of its speed it is, in real milliseconds. */
  const lead = (): number =>
    (clock.now() - startedAt.simulated) / speed - (systemClock.now() - startedAt.real)
  let ended = false
  const end = (): void => {
    ended = true
  }
  work.then(end, end)
  while (!ended) {
    await realWork.idle()
    await clock.runUntil(() => ended || realWork.pending > 0 || lead() > 0)
    if (lead() > 0) await new Promise<void>((resolve) => systemClock.setTimer(resolve, lead()))
  }
  return work
}
