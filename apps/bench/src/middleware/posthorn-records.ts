import { idempotency } from '@posthorn/idempotency'
import { memory } from '@posthorn/transport/memory'
import { body } from '../flow.ts'
import { claimed, concurrency, type RecordClient } from './record-client.ts'
import type { Store } from '@posthorn/store'

const batch = Array.from({ length: 500 }, () => ({ data: body }))

/** Messages through the in-memory broker, of which a batch always waits. */
export async function openPosthorn(
  store: Store<never>,
  ends: Pick<RecordClient, 'clear' | 'close'>,
): Promise<RecordClient> {
  const { leaseMs, retentionMs } = claimed
  const transport = await memory()
  const use = [idempotency({ store, leaseMs, retentionMs })]
  return {
    async run(records) {
      let sent = 0
      let handled = 0
      let finish = (): void => {}
      const done = new Promise<void>((resolve) => {
        finish = resolve
      })
      const sendBatch = async (): Promise<void> => {
        const messages = batch.slice(0, records - sent)
        sent += messages.length
        await transport.sendMany('bench', messages)
      }
      const handler = (): void => {
        handled++
        if (handled % batch.length === 0) sendBatch().catch(finish)
        if (handled === records) finish()
      }
      const consumer = await transport.consume('bench', handler, { concurrency, use })
      await sendBatch()
      await sendBatch()
      await done
      // The last ones are completed then.
      await consumer.stop()
    },
    clear: async () => ends.clear(),
    async close() {
      await transport.close()
      await ends.close()
    },
  }
}
