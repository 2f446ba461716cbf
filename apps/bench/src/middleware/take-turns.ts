import { startChild, type Child } from '../in-child.ts'
import type { FlowTime } from '../flow.ts'

/**
 * Has each contender, in a process of its own that lives for all rounds, do its task in turn, and answers each one's times. A
 * first round, for the compiler, is not counted.
 */
export async function takeTurns<Name extends string>(
  module: string,
  tasks: Readonly<Record<Name, unknown>>,
  rounds: number,
): Promise<Readonly<Record<Name, readonly FlowTime[]>>> {
  const contenders = Object.entries(tasks).map(([name, task]) => {
    const times: FlowTime[] = []
    return { name, task, times, child: startChild(module) as Child }
  })
  try {
    for (let round = 0; round <= rounds; round++) {
      for (const { task, times, child } of contenders) {
        const time = await child.ask<FlowTime>(task)
        if (round > 0) times.push(time)
      }
    }
  } finally {
    for (const { child } of contenders) child.end()
  }
  return Object.fromEntries(contenders.map(({ name, times }) => [name, times])) as unknown as Record<
    Name,
    readonly FlowTime[]
  >
}
