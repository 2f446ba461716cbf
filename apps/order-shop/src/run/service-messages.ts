import type { WorkerMessage } from '@posthorn/test-brokers'
import type { CountedEvent, CutOff } from './staff.ts'
import type { Strike } from '../faults/fault-plan.ts'

/** What a service's process is started with. */
export interface ServiceParameters {
  readonly name: string
  readonly url: string
  readonly namespace: string
  /** Of the run. */
  readonly folder: string
  /** The folder with the originals. */
  readonly pictures: string
  /** The file with the plan of faults. */
  readonly plan: string
}

/** What such a process tells. */
export type ServiceMessage =
  | { readonly type: 'up' }
  | { readonly type: 'event'; readonly event: CountedEvent }
  /** It is at the moment at which this was planned for it, and waits. */
  | { readonly type: 'strike'; readonly kind: Strike['kind'] }
  | ({ readonly type: 'closed' } & CutOff)

/** What it is told: that its connection was cut, or to end. */
export type ServiceOrder = WorkerMessage & { readonly type: 'struck' | 'stop' }
