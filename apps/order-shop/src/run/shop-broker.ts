import { randomUUID } from 'node:crypto'
import { connect, createTransport } from '@posthorn/transport'
import type { Clock, PublishMiddleware, Transport } from '@posthorn/transport'
import type { Driver } from '@posthorn/transport/driver'
import { createMemoryBroker } from '@posthorn/transport/memory'
import type { FaultPlan, Reach } from '../faults/fault-plan.ts'
import { createPublishFaults, withPublishFaults } from '../faults/faulty-driver.ts'
import { createProcessStaff } from './process-staff.ts'
import type { RunParts } from './run-parts.ts'
import { createSimulatedStaff } from './simulated-staff.ts'
import type { Staff } from './staff.ts'
import type { Striker } from '../faults/trouble.ts'

/** A broker that processes of the shop connect to by their name. */
export interface ShopBroker {
  connect(process: string): Promise<Transport>
  /** The shop's processes, not started yet. `folder`: where the run's effects go. */
  hire(parts: RunParts, folder: string): Staff
}

export interface MemoryShopBroker extends ShopBroker {
  /** What can be done to a process that is connected to it. */
  readonly striker: Striker
  /** The bare driver, for programs without Posthorn. */
  driver(process: string): Driver
}

/** An in-memory broker that fails as planned. */
export function createMemoryShopBroker(clock: Clock, plan: FaultPlan): MemoryShopBroker {
  const broker = createMemoryBroker({ clock })
  const publishFaults = createPublishFaults(plan, broker.faults)
  const driver = (process: string): Driver => withPublishFaults(broker.driver(process), publishFaults)
  const connectProcess = (
    process: string,
    publishUse: readonly PublishMiddleware[] = [],
  ): Promise<Transport> => createTransport(driver(process), { clock, publishUse })
  return {
    driver,
    connect: (process) => connectProcess(process),
    hire: (parts) => createSimulatedStaff(connectProcess, parts),
    striker: {
      crash(process) {
        broker.faults.crash(process.name)
        process.end()
      },
      cut: (process) => broker.faults.cut(process.name),
    },
  }
}

/** What can be made to fail at a broker: connections only where its URL is all that a client goes by. */
export function reachOf(url: string): Reach {
  if (url.startsWith('memory:')) return 'memory'
  return url.startsWith('amqp:') ? 'processes and connections' : 'processes'
}

/**
 * Any broker that has a driver, with real processes. Each run has queues of its own: what another one left is not its
 * business.
 */
export function createUrlShopBroker(url: string, plan: FaultPlan, pictures: string): ShopBroker {
  const namespace = `shop-${randomUUID().slice(0, 8)}`
  // The driver is a package of the shop, so it is looked for from here.
  const load = (name: string): Promise<unknown> => import(name)
  return {
    connect: () => connect(url, { namespace, load }),
    hire: ({ metricsPort }, folder) =>
      createProcessStaff({ url, namespace, folder, pictures, plan, metricsPort }),
  }
}
