import { AssertionError } from 'node:assert'
import type { Clock } from '@posthorn/transport'
import type { VirtualClock } from '@posthorn/transport/testing'

/** Lets time pass, so that the same lines serve a virtual and a real clock. */
export interface Time {
  readonly virtual: boolean
  /** Lets `ms` milliseconds pass. */
  advance(ms: number): Promise<void>
  /** Lets time pass until the condition holds; fails, saying what it waited for, when it does not within `withinMs`. */
  until(what: string, condition: () => boolean | Promise<boolean>, withinMs: number): Promise<void>
  /** Work that takes its time from another clock. */
  elsewhere<Value>(work: () => Promise<Value>): Promise<Value>
  /** Lets time pass for as long as nothing else does it, until the work is done; fails when it never ends. */
  drive<Value>(work: Promise<Value>): Promise<Value>
}

const pollMs = 5
/** Far more than any behaviour takes: beyond it, what is waited for never comes. */
const longestDriveMs = 24 * 3_600_000
const mostDriveSteps = 50_000

export function createTime(clock: Clock): Time {
  return isVirtual(clock) ? virtualTime(clock) : realTime(clock)
}

function isVirtual(clock: Clock): clock is VirtualClock {
  return 'runUntil' in clock && 'advance' in clock
}

function virtualTime(clock: VirtualClock): Time {
  /** Moves that a test has asked for. */
  let moving = 0

  /** Fires the next timer, if it is due by `deadline`; false when there is none. */
  async function step(deadline: number): Promise<boolean> {
    let asked = false
    try {
      const once = (): boolean => asked || !(asked = true)
      await clock.runUntil(once, { maxMs: Math.max(0, deadline - clock.now()) })
      return true
    } catch {
      return false
    }
  }

  async function move<Value>(work: () => Promise<Value>): Promise<Value> {
    moving += 1
    try {
      return await work()
    } finally {
      moving -= 1
    }
  }

  return {
    virtual: true,
    advance: (ms) => move(() => clock.advance(ms)),
    elsewhere: move,
    until: (what, condition, withinMs) =>
      move(async () => {
        const deadline = clock.now() + withinMs
        await clock.advance(0)
        while (!(await condition())) {
          if (!(await step(deadline))) throw notReached(what, withinMs)
        }
      }),
    async drive(work) {
      let done = false
      const end = (): void => {
        done = true
      }
      work.then(end, end)
      const deadline = clock.now() + longestDriveMs
      for (let steps = 0; ; steps += 1) {
        await clock.advance(0)
        if (done) return work
        if (moving > 0) continue
        if (steps >= mostDriveSteps || !(await step(deadline))) {
          if (done) return work
          throw new AssertionError({ message: 'The behaviour waits for something that never comes.' })
        }
      }
    },
  }
}

function realTime(clock: Clock): Time {
  const advance = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      clock.setTimer(resolve, ms)
    })
  return {
    virtual: false,
    advance,
    elsewhere: (work) => work(),
    async until(what, condition, withinMs) {
      const deadline = clock.now() + withinMs
      while (!(await condition())) {
        if (clock.now() >= deadline) throw notReached(what, withinMs)
        await advance(pollMs)
      }
    },
    drive: (work) => work,
  }
}

function notReached(what: string, withinMs: number): AssertionError {
  return new AssertionError({ message: `Not within ${withinMs} ms: ${what}.` })
}
