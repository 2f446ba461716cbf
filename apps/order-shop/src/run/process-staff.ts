import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startTcpProxy, startWorker } from '@posthorn/test-brokers'
import type { TcpProxy, WorkerProcess } from '@posthorn/test-brokers'
import type { ServiceMessage, ServiceOrder, ServiceParameters } from './service-messages.ts'
import { createEventCounts } from './staff.ts'
import type { CutOff, MetricsAddress, Staff } from './staff.ts'
import { writePlan } from '../faults/plan-file.ts'
import type { FaultPlan } from '../faults/fault-plan.ts'
import { processes } from '../services/processes.ts'

export interface ProcessStaffOptions extends Pick<
  ServiceParameters,
  'url' | 'namespace' | 'folder' | 'pictures'
> {
  readonly plan: FaultPlan
  /** Of the first process; the others have those behind it. 0: any free ones. `undefined`: no metrics are served. */
  readonly metricsPort: number | undefined
}

const module = new URL('service-process.ts', import.meta.url)
const restartMs = 250
const dayMs = 86_400_000

/**
 * All processes as real ones. Where the plan has it, a process is killed by SIGKILL and started again, or its connection,
 * which leads through a proxy of its own, is cut.
 */
export function createProcessStaff({ plan, metricsPort, ...options }: ProcessStaffOptions): Staff {
  const planFile = join(options.folder, 'faults.json')
  const events = createEventCounts()
  const names = [...processes.keys()]
  const ended: Promise<CutOff>[] = []
  const proxies: TcpProxy[] = []
  const running = new Map<string, WorkerProcess>()
  let fail!: (error: Error) => void
  const failed = new Promise<never>((_resolve, reject) => {
    fail = reject
  })
  failed.catch(() => undefined)
  let restarts = 0
  let isStopping = false

  /** Answers what was cut off when the process has ended as it should, however often it was killed before. */
  async function run(name: string, up: (metrics: string | undefined) => void): Promise<CutOff> {
    const proxy = plan.reach === 'processes' ? undefined : await startTcpProxy({ target: options.url })
    if (proxy !== undefined) proxies.push(proxy)
    const parameters = { ...options, name, url: proxy?.url ?? options.url, plan: planFile }
    let port =
      metricsPort === undefined || metricsPort === 0 ? metricsPort : metricsPort + names.indexOf(name)
    const isUp = (metrics: string | undefined): void => {
      // When it is started again, it has its port again.
      if (metrics !== undefined) port = Number(new URL(metrics).port)
      up(metrics)
    }
    for (;;) {
      const worker = startWorker(module, { ...parameters, metricsPort: port })
      running.set(name, worker)
      const closed = await listen(worker, isUp, () => proxy?.cut())
      if (closed !== undefined) return closed
      if (!isStopping) await sleep(restartMs)
      if (isStopping) return { unfinished: 0, unconfirmed: 0 }
      restarts++
    }
  }

  /** `undefined` when it was killed. */
  async function listen(
    worker: WorkerProcess,
    up: (metrics: string | undefined) => void,
    cut: () => void,
  ): Promise<CutOff | undefined> {
    for (;;) {
      let message: ServiceMessage
      try {
        message = await worker.waitFor<ServiceMessage>(() => true, dayMs)
      } catch (error) {
        const { signal } = await worker.exited
        if (signal === 'SIGKILL') return undefined
        // It ended by itself: that is no fault of the plan, but one of the program.
        throw error
      }
      switch (message.type) {
        case 'up':
          up(message.metrics)
          break
        case 'event':
          events[message.event]++
          break
        case 'strike':
          if (message.kind === 'crash') await worker.kill()
          else {
            cut()
            worker.tell<ServiceOrder>({ type: 'struck' })
          }
          break
        case 'closed':
          await worker.exited
          return message
      }
    }
  }

  return {
    events,
    failed,
    get restarts() {
      return restarts
    },
    async start() {
      writePlan(planFile, plan)
      const started = await Promise.all(
        names.map(async (name): Promise<MetricsAddress[]> => {
          const up = new Promise<string | undefined>((resolve) => {
            const end = run(name, resolve)
            end.catch(fail)
            ended.push(end)
          })
          const url = await Promise.race([up, failed])
          return url === undefined ? [] : [{ process: name, url }]
        }),
      )
      return started.flat()
    },
    async stop() {
      isStopping = true
      for (const worker of running.values()) worker.tell<ServiceOrder>({ type: 'stop' })
      const all = await Promise.all(ended)
      await Promise.all(proxies.map(async (proxy) => proxy.close()))
      return {
        unfinished: all.reduce((sum, { unfinished }) => sum + unfinished, 0),
        unconfirmed: all.reduce((sum, { unconfirmed }) => sum + unconfirmed, 0),
      }
    },
  }
}
