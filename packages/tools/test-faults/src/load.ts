import type { Transport } from '@posthorn/transport'
import type { Witness } from './witness.ts'

/** Sent at a time. */
const width = 20
/** A server that confirms at once must not fill the memory of the test. */
const maxMessages = 50_000

/** Goes on sending until it is told to stop; that resolves when every send has ended. Ids begin with `name`. */
export function startLoad(
  transport: Transport,
  queue: string,
  witness: Witness,
  name: string = queue,
): () => Promise<void> {
  let isStopped = false
  let count = 0
  const senders = Array.from({ length: width }, async () => {
    while (!isStopped && count < maxMessages) {
      count += 1
      await witness.send(transport, queue, { id: `${name}-${count}`, data: count })
      await new Promise((resolve) => setImmediate(resolve))
    }
  })
  return async () => {
    isStopped = true
    await Promise.all(senders)
  }
}
