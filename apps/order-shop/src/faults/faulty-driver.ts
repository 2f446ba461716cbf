import type { Driver, PublishOutcome, WireMessage } from '@posthorn/transport/driver'
import type { MemoryFaults } from '@posthorn/transport/memory'
import type { FaultPlan } from './fault-plan.ts'

/** Which messages about an order have had their fault; shared by all connections of one run. */
export interface PublishFaults {
  /** Asks the broker for what the plan has for this message, which is stored next. */
  arm(message: WireMessage): void
  /** Whether the plan has something for it. */
  concerns(message: WireMessage): boolean
}

export function createPublishFaults(
  plan: FaultPlan,
  faults: Pick<MemoryFaults, 'duplicate' | 'loseConfirmations'>,
): PublishFaults {
  const left = new Map<string, 'duplicate' | 'loseConfirmations'>()
  for (const id of plan.lostConfirmations) left.set(id, 'loseConfirmations')
  for (const id of plan.duplicates) left.set(id, 'duplicate')
  const find = (message: WireMessage): string | undefined => {
    if (!message.type.startsWith('order.created.')) return undefined
    const text = Buffer.from(message.body).toString()
    for (const id of left.keys()) if (text.includes(`"${id}"`)) return id
    return undefined
  }
  return {
    concerns: (message) => find(message) !== undefined,
    arm(message) {
      const id = find(message)
      const fault = id === undefined ? undefined : left.get(id)
      if (id === undefined || fault === undefined) return
      left.delete(id)
      faults[fault](1)
    },
  }
}

/** The driver, with faults for single messages: the broker's own faults hit whichever message comes next. */
export function withPublishFaults<Native>(driver: Driver<Native>, faults: PublishFaults): Driver<Native> {
  return {
    ...driver,
    async connect(host) {
      const connection = await driver.connect(host)
      return new Proxy(connection, {
        get(target, name) {
          if (name !== 'publish') {
            const value: unknown = Reflect.get(target, name)
            return typeof value === 'function' ? value.bind(target) : value
          }
          const publish: typeof target.publish = async (destination, batch, deadline) => {
            if (!batch.some((message) => faults.concerns(message)))
              return target.publish(destination, batch, deadline)
            const answers = batch.map((message): Promise<readonly PublishOutcome[]> => {
              faults.arm(message)
              return target.publish(destination, [message], deadline)
            })
            return (await Promise.all(answers)).flat()
          }
          return publish
        },
      })
    },
  }
}
