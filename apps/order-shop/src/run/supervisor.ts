import type { Clock } from '@posthorn/transport'
import { createLife } from '../outside/life.ts'
import type { Life } from '../outside/life.ts'

/** What a process has open. */
export interface Running {
  close(): Promise<void>
}

/** Starts processes, and starts one that has crashed again. */
export interface Supervisor {
  readonly restarts: number
  /** Resolves when the process is up. */
  start(name: string, boot: (life: Life) => Promise<Running>): Promise<void>
  /** Closes all processes, those that have crashed included. */
  stop(): Promise<void>
}

const restartMs = 250

export function createSupervisor(clock: Clock): Supervisor {
  const opened: Promise<Running>[] = []
  const waiting = new Set<() => void>()
  let stopping = false
  let restarts = 0

  function boot(name: string, start: (life: Life) => Promise<Running>): Promise<Running> {
    const life = createLife(name, () => {
      if (stopping) return
      const cancel = clock.setTimer(() => {
        waiting.delete(cancel)
        restarts++
        // Whoever waits for it to close hears of a failure.
        boot(name, start).catch(() => undefined)
      }, restartMs)
      waiting.add(cancel)
    })
    const running = start(life)
    opened.push(running)
    return running
  }

  return {
    get restarts() {
      return restarts
    },
    async start(name, start) {
      await boot(name, start)
    },
    async stop() {
      stopping = true
      for (const cancel of waiting) cancel()
      await Promise.all(opened.map(async (running) => (await running).close()))
    },
  }
}
