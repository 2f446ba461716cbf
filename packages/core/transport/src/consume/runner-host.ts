import type { Capabilities } from '../contract/capabilities.ts'
import type { Clock } from '../contract/clock.ts'
import type { Codec } from '../contract/codec.ts'
import type { EmitEvent, MessageRef } from '../contract/events.ts'
import type { HandlerOutput } from '../contract/middleware.ts'
import type { WireMessage } from '../contract/wire-message.ts'
import type { LoneGate } from './lone-gate.ts'
import { receivedType } from './received-message.ts'
import type { Run } from './run.ts'

/** What a consumer's runner needs of its transport. */
export interface RunnerHost {
  /** The queue, or `<topic>/<group>`. */
  readonly source: string
  /** The group, for dead-letter records. */
  readonly group: string | undefined
  readonly clock: Clock
  readonly codec: Codec
  readonly gate: LoneGate
  readonly capabilities: () => Capabilities
  readonly emit: EmitEvent
  output(cause: WireMessage, ordinal: number, output: HandlerOutput): Promise<void>
}

/** As the handler sees it. */
export function typeOf(run: Run): string {
  return receivedType(run.wire, run.owner.source)
}

export function refOf(run: Run): MessageRef {
  return { id: run.wire.id, type: typeOf(run), source: run.owner.source }
}
