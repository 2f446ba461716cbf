// Tells of an effect, then waits to be told to go on: a test can kill it in between.
import { connectWorker } from '../../src/index.ts'

const worker = connectWorker<{ readonly id: string }>()
worker.onMessage<{ readonly type: string; readonly bytes?: Uint8Array }>((message) => {
  if (message.type === 'fail') throw new Error('told to fail')
  void worker.tell({ type: 'acknowledged', id: worker.parameters.id, bytes: message.bytes })
})
await worker.tell({ type: 'effect', id: worker.parameters.id })
