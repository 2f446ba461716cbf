import type { Middleware } from '@posthorn/transport'
import { memory } from '@posthorn/transport/memory'
import { answer, childParameters } from '../in-child.ts'
import { flow, type FlowTime } from '../flow.ts'

export interface ThroughputParameters {
  readonly messages: number
  readonly rounds: number
  readonly middlewares: number
}

export interface ThroughputResult {
  /** Each round's, without and with the middlewares, in turn. */
  readonly plain: readonly FlowTime[]
  readonly chained: readonly FlowTime[]
}

const empty = (index: number): Middleware => ({
  name: `empty ${index}`,
  phase: 'guard',
  wrap: (next) => (message, context) => next(message, context),
})

const { messages, rounds, middlewares } = childParameters<ThroughputParameters>()
const chain = Array.from({ length: middlewares }, (_, index) => empty(index))
const result: { plain: FlowTime[]; chained: FlowTime[] } = { plain: [], chained: [] }
const transport = await memory()
const round = (use: readonly Middleware[]): Promise<FlowTime> =>
  flow(transport, { messages, inFlight: 1000, concurrency: 100, use })

// The first rounds are for the compiler.
await round([])
await round(chain)
for (let index = 0; index < rounds; index++) {
  result.plain.push(await round([]))
  result.chained.push(await round(chain))
}
await transport.close()
answer(result)
