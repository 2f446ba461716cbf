import { memory } from '@posthorn/transport/memory'
import { answer, childParameters } from '../in-child.ts'
import { flow } from '../flow.ts'

export interface FlatParameters {
  readonly messages: number
  readonly samples: number
}

/** RSS in bytes at each of the samples, evenly spread over the messages. */
export type FlatResult = readonly number[]

const { messages, samples } = childParameters<FlatParameters>()
const step = messages / samples
const rss: number[] = []
const transport = await memory()
await flow(transport, {
  messages,
  inFlight: 1000,
  concurrency: 100,
  onThousand: (handled) => {
    if (handled % step === 0) rss.push(process.memoryUsage().rss)
  },
})
await transport.close()
answer(rss)
