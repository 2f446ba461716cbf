// Claims keys in batches, in an order of its own, and tells which it got.
import { connectWorker } from '@posthorn/test-brokers'
import { openStore, type Kind } from './open-store.ts'

interface Parameters {
  readonly kind: Kind
  readonly url: string
  readonly keys: readonly string[]
}

const worker = connectWorker<Parameters>()
const { kind, url, keys } = worker.parameters
const { store } = await openStore(kind, url)
await worker.tell({ type: 'ready' })
worker.onMessage((message) => {
  if (message.type === 'go') void claimAll()
})

async function claimAll(): Promise<void> {
  const got: string[] = []
  for (let at = 0; at < keys.length; at += 10) {
    const batch = keys.slice(at, at + 10)
    const answers = await store.claims.claim(
      batch.map((key) => ({ key, owner: String(process.pid), leaseMs: 60_000 })),
    )
    got.push(...batch.filter((_, index) => answers[index]?.status === 'claimed'))
  }
  await worker.tell({ type: 'done', got })
}
