import { rabbitmq } from '@posthorn/rabbitmq'
import { flow } from '../flow.ts'
import { answer, childParameters } from '../in-child.ts'

export interface FlatParameters {
  readonly url: string
  readonly messages: number
  /** After so many is the first sample taken, and after as many again each further one. */
  readonly step: number
}

/** RSS in bytes at each of the samples. */
export type FlatResult = readonly number[]

const { url, messages, step } = childParameters<FlatParameters>()
const rss: number[] = []
const transport = await rabbitmq({ url })
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
