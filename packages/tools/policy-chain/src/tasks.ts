import type { Context, Message } from '@posthorn/transport'
import type { ChainProcess } from './chain-process.ts'
import type { FaultKind } from './fault-plan.ts'
import { copyOf } from './journal.ts'
import type { Stage } from './stage.ts'

export type TaskType = 'pay' | 'mail'

export type TaskMap = Record<TaskType, { readonly task: string }>

/** What becomes of a task when nothing is added to what goes wrong by itself. */
export type Fate = 'done' | 'declined' | 'doomed'

export interface Task {
  readonly id: string
  readonly type: TaskType
  readonly fate: Fate
  /** When it is sent; more than once under one id where a producer did not know. Milliseconds. */
  readonly sentAtMs: readonly number[]
}

export const tasks: readonly Task[] = [
  { id: 'pay-1', type: 'pay', fate: 'done', sentAtMs: [0] },
  { id: 'mail-1', type: 'mail', fate: 'done', sentAtMs: [0] },
  { id: 'pay-2', type: 'pay', fate: 'done', sentAtMs: [0] },
  { id: 'twice', type: 'mail', fate: 'done', sentAtMs: [0, 0, 2_500] },
  { id: 'declined', type: 'pay', fate: 'declined', sentAtMs: [0] },
  { id: 'pay-3', type: 'pay', fate: 'done', sentAtMs: [0] },
  { id: 'doomed', type: 'mail', fate: 'doomed', sentAtMs: [0] },
]

/** The bank of `pay` is down for so long at first. Milliseconds. */
const downForMs = 400
const stepMs = 10

/** What a handler throws. `declined` is not worth trying again, nor the bank's fault. */
export class TaskError extends Error {
  readonly code: string

  constructor(code: string) {
    super(code)
    this.code = code
  }
}

/** Handles the tasks of one process: three steps at which it waits, with the effect before the last. */
export function taskHandler<Given extends Context>(
  stage: Stage,
  process: ChainProcess,
  fenceOf: (context: Given) => number | undefined,
  effect: (message: Message, context: Given) => Promise<void> | void,
): (message: Message, context: Given) => Promise<string> {
  const bankIsUpAt = startedAt + downForMs
  return async (message, context) => {
    const { id, type } = message
    const fate = tasks.find((task) => task.id === id)?.fate
    const step = (name: string): Promise<void> =>
      stage.wait({
        process,
        area: 'handler',
        name: `handler ${name}`,
        id,
        act: () => process.sleep(stepMs),
        refuse: (kind: FaultKind) => {
          throw new TaskError(kind === 'throw for good' ? 'declined' : 'broken')
        },
      })
    const { attempt } = context
    stage.journal.called(message, { process: process.name, attempt, fence: fenceOf(context) })
    try {
      await step('begins')
      if (type === 'pay' && stage.clock.now() < bankIsUpAt) throw new TaskError('bank is down')
      if (fate !== 'done') throw new TaskError(fate ?? 'unknown task')
      await step('before its effect')
      await effect(message, context)
      await step('after its effect')
      return `did ${id}`
    } catch (error) {
      if (process.isAlive) stage.journal.thrown.add(copyOf(message))
      throw error
    }
  }
}

/** When the virtual clock starts. */
const startedAt = Date.UTC(2026, 0, 1)
