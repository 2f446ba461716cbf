import type { Transport } from '@posthorn/transport'
import type { RunParts } from './run-parts.ts'
import { closeProcess, countedEvents } from './staff.ts'
import type { Staff } from './staff.ts'
import { createSupervisor } from './supervisor.ts'
import { processes } from '../services/processes.ts'

/** All processes inside this one: with a connection each, and with lives of their own that can end. */
export function createSimulatedStaff(
  connect: (process: string) => Promise<Transport>,
  { clock, outside }: Pick<RunParts, 'clock' | 'outside'>,
): Staff {
  const supervisor = createSupervisor(clock)
  const events = { retried: 0, deadLettered: 0, leaseLost: 0 }
  const cutOff = { unfinished: 0, unconfirmed: 0 }
  return {
    events,
    failed: new Promise(() => undefined),
    get restarts() {
      return supervisor.restarts
    },
    async start() {
      for (const [name, startService] of processes) {
        await supervisor.start(name, async (life) => {
          const transport = await connect(name)
          for (const event of countedEvents) transport.on(event, () => life.alive && events[event]++)
          await startService(transport, outside(life))
          return {
            async close() {
              // Nothing of a process that has crashed can be waited for.
              if (!life.alive) return void transport.close({ deadlineMs: 0 })
              const { unfinished, unconfirmed } = await closeProcess(transport)
              cutOff.unfinished += unfinished
              cutOff.unconfirmed += unconfirmed
            },
          }
        })
      }
    },
    async stop() {
      await supervisor.stop()
      return cutOff
    },
  }
}
