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
  /** Where to serve metrics; 0 is any free port, `undefined` is nowhere. */
  readonly metricsPort: number | undefined
}

/** What such a process tells. */
export type ServiceMessage =
  | { readonly type: 'up'; readonly metrics: string | undefined }
  | { readonly type: 'event'; readonly event: CountedEvent }
  /** It is at the moment at which this was planned for it, and waits. */
  | { readonly type: 'strike'; readonly kind: Strike['kind'] }
  | ({ readonly type: 'closed' } & CutOff)

/** What it is told: that its connection was cut, or to end. */
export type ServiceOrder = WorkerMessage & { readonly type: 'struck' | 'stop' }
