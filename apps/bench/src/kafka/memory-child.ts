import { kafka } from '@posthorn/kafka'
import { inWindow } from '../contest/in-window.ts'
import { body, flow } from '../flow.ts'
import { answer, childParameters } from '../in-child.ts'
import { inFlight, prefetch } from './bench-client.ts'
import { countDown } from './count-down.ts'

export interface MemoryParameters {
  readonly url: string
  readonly queue: string
  /**
   * `through`: sends and handles. `stuck`: the same, with a first message whose handler does not end; the others of its
   * partition come to wait. `fill`: sends, without a consumer. `drain`: handles what is there.
   */
  readonly work: 'through' | 'stuck' | 'fill' | 'drain'
  readonly messages: number
  /** After so many are handled is the first sample taken, and after as many again each further one. */
  readonly step: number
}

/** RSS in bytes at each of the samples. */
export type MemoryResult = readonly number[]

const { url, queue, work, messages, step } = childParameters<MemoryParameters>()
const transport = await kafka({ url })
const rss: number[] = []
let counted = 0
const { handled, done } = countDown(messages, () => {})
function count(): void {
  counted++
  if (counted % step === 0) rss.push(process.memoryUsage().rss)
  handled()
}
const publish = (): Promise<void> =>
  inWindow(messages, inFlight, (ends) => {
    transport.send(queue, { data: body }).then(ends, ends)
  })

if (work === 'fill') {
  await publish()
} else if (work === 'drain') {
  await transport.consume(queue, count, { concurrency: 100, prefetch })
  await done
} else if (work === 'stuck') {
  let release = (): void => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  let isFirst = true
  const handler = (): Promise<void> | void => {
    if (!isFirst) return count()
    isFirst = false
    return released
  }
  await transport.consume(queue, handler, { concurrency: 100, prefetch })
  // What comes to the stuck message's partition is not handled, so that more are sent than are counted.
  while (counted < messages) {
    await Promise.all(Array.from({ length: inFlight }, () => transport.send(queue, { data: body })))
  }
  release()
} else {
  await flow(transport, {
    messages,
    inFlight,
    concurrency: 100,
    onThousand: (count) => {
      if (count % step === 0) rss.push(process.memoryUsage().rss)
    },
  })
}
await transport.close()
answer(rss)
