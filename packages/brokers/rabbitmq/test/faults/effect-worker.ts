// Records the effect of each message, and from the n-th on tells so and goes no further: a test can kill it before its acks.
import { rabbitmq } from '@posthorn/rabbitmq'
import { connectWorker, openLedger } from '@posthorn/test-brokers'

export interface EffectWorkerParameters {
  readonly url: string
  readonly queue: string
  readonly ledger: string
  readonly effects: number
}

const worker = connectWorker<EffectWorkerParameters>()
const { url, queue, ledger: path, effects } = worker.parameters
const ledger = await openLedger(path)
const transport = await rabbitmq({ url })
let count = 0
await transport.consume(
  queue,
  async ({ id }) => {
    await ledger.record({ id })
    count += 1
    if (count < effects) return
    await worker.tell({ type: 'stuck' })
    await new Promise(() => undefined)
  },
  { concurrency: 5 },
)
