// Records the effect of each message. From the n-th on it tells so and goes no further, so that a test can kill it before its
// acks; a message whose data say so ends the process.
import { kafka } from '@posthorn/kafka'
import { connectWorker, openLedger } from '@posthorn/test-brokers'

export interface KafkaWorkerParameters {
  readonly url: string
  readonly queue: string
  readonly ledger: string
  readonly effects: number
}

/** Data of a message that no process survives. */
export const deadly = 'deadly'

const worker = connectWorker<KafkaWorkerParameters>()
const { url, queue, ledger: path, effects } = worker.parameters
const ledger = await openLedger(path)
const transport = await kafka({ url, sessionTimeoutMs: 3_000 })
let count = 0
await transport.consume(
  queue,
  async ({ id, data }, { deliveries }) => {
    if (data === deadly) process.kill(process.pid, 'SIGKILL')
    await ledger.record({ id, deliveries })
    count += 1
    if (count < effects) return
    await worker.tell({ type: 'stuck' })
    await new Promise(() => undefined)
  },
  { concurrency: 5, maxDeliveries: 4 },
)
