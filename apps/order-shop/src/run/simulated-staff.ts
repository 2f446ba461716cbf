import { createMetrics } from '@posthorn/metrics'
import type { PublishMiddleware, Transport } from '@posthorn/transport'
import type { RunParts } from './run-parts.ts'
import { serveMetricsPage } from './serve-metrics.ts'
import type { MetricsPage } from './serve-metrics.ts'
import { createEventCounts, startProcess } from './staff.ts'
import type { Staff } from './staff.ts'
import { createSupervisor } from './supervisor.ts'
import { processes } from '../services/processes.ts'

/** All processes inside this one: with a connection each, and with lives of their own that can end. */
export function createSimulatedStaff(
  connect: (process: string, publishUse: readonly PublishMiddleware[]) => Promise<Transport>,
  { clock, outside, metricsPort }: Pick<RunParts, 'clock' | 'outside' | 'metricsPort'>,
): Staff {
  const supervisor = createSupervisor(clock)
  const events = createEventCounts()
  const cutOff = { unfinished: 0, unconfirmed: 0 }
  const metrics = createMetrics()
  let page: MetricsPage | undefined
  return {
    events,
    failed: new Promise(() => undefined),
    get restarts() {
      return supervisor.restarts
    },
    async start() {
      if (metricsPort !== undefined) page = await serveMetricsPage(metrics, metricsPort)
      for (const name of processes.keys()) {
        await supervisor.start(name, async (life) => {
          const transport = await connect(name, [metrics.publishUse])
          const close = await startProcess(name, {
            transport,
            metrics,
            outside: outside(life),
            onEvent: (event) => life.alive && events[event]++,
          })
          return {
            async close() {
              // Nothing of a process that has crashed can be waited for.
              if (!life.alive) return void transport.close({ deadlineMs: 0 })
              const { unfinished, unconfirmed } = await close()
              cutOff.unfinished += unfinished
              cutOff.unconfirmed += unconfirmed
            },
          }
        })
      }
      return page === undefined ? [] : [{ process: undefined, url: page.url }]
    },
    async stop() {
      await supervisor.stop()
      await page?.close()
      return cutOff
    },
  }
}
