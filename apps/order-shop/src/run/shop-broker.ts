import { randomUUID } from 'node:crypto'
import { connect, createTransport } from '@posthorn/transport'
import type { Clock, Transport } from '@posthorn/transport'
import type { Driver } from '@posthorn/transport/driver'
import { createMemoryBroker } from '@posthorn/transport/memory'
import type { FaultPlan } from '../faults/fault-plan.ts'
import { createPublishFaults, withPublishFaults } from '../faults/faulty-driver.ts'
import type { Striker } from '../faults/trouble.ts'

/** A broker that processes of the shop connect to by their name. */
export interface ShopBroker {
  connect(process: string): Promise<Transport>
  /** What can be done to a process that is connected to it. */
  readonly striker: Striker
}

export interface MemoryShopBroker extends ShopBroker {
  /** The bare driver, for programs without Posthorn. */
  driver(process: string): Driver
}

/** An in-memory broker that fails as planned. */
export function createMemoryShopBroker(clock: Clock, plan: FaultPlan): MemoryShopBroker {
  const broker = createMemoryBroker({ clock })
  const publishFaults = createPublishFaults(plan, broker.faults)
  const driver = (process: string): Driver => withPublishFaults(broker.driver(process), publishFaults)
  return {
    driver,
    connect: (process) => createTransport(driver(process), { clock }),
    striker: {
      crash(process) {
        broker.faults.crash(process.name)
        process.end()
      },
      cut: (process) => broker.faults.cut(process.name),
    },
  }
}

/** Any broker that has a driver. Each run has queues of its own: what another one left is not its business. */
export function createUrlShopBroker(url: string): ShopBroker {
  const namespace = `shop-${randomUUID().slice(0, 8)}.`
  // The driver is a package of the shop, so it is looked for from here.
  const load = (name: string): Promise<unknown> => import(name)
  return {
    connect: () => connect(url, { namespace, load }),
    striker: { crash: () => undefined, cut: () => undefined },
  }
}
