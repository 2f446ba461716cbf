import { Dispatcher } from './dispatcher.ts'
import { FaultState } from './fault-state.ts'
import { Leases } from './leases.ts'
import { Schedule } from './schedule.ts'
import type { MemorySettings } from './options.ts'
import type { Queue } from './queue.ts'
import type { Topic } from './topic.ts'
import type { Clock } from '../contract/clock.ts'

/** What everything inside one broker shares. */
export interface BrokerParts {
  readonly clock: Clock
  readonly settings: MemorySettings
  readonly faults: FaultState
  readonly dispatcher: Dispatcher
  readonly leases: Leases
  readonly schedule: Schedule
  /** By their names on the broker: groups, inboxes, ephemeral subscriptions and dead-letter queues, too. */
  readonly queues: Map<string, Queue>
  readonly topics: Map<string, Topic>
  /** Never the same number again. */
  nextSerial(): number
}

export function createParts(clock: Clock, settings: MemorySettings): BrokerParts {
  let serial = 0
  return {
    clock,
    settings,
    faults: new FaultState(),
    dispatcher: new Dispatcher(clock),
    leases: new Leases(clock),
    schedule: new Schedule(clock),
    queues: new Map(),
    topics: new Map(),
    nextSerial: () => ++serial,
  }
}
