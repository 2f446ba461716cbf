import type { Handler, Middleware, Transport } from '@posthorn/transport'
import type { ChainProcess } from './chain-process.ts'
import type { Evidence } from './evidence.ts'

/** The last stage of the chain as one process has it, and its handler. */
export interface LastStage {
  readonly once: readonly Middleware[]
  readonly handler: Handler
  /** The process's transport is there. */
  started?(transport: Transport): void
}

/** One of the two ways in which an effect is had once. */
export interface Form {
  open(process: ChainProcess): LastStage
  /** Nothing is left to be done. */
  isQuiet(): boolean
  /** Of a task: how often its effect is there. */
  effects(id: string): number
  /** What else is wrong at the end. */
  check(evidence: Evidence): readonly string[]
  close(): void
}
