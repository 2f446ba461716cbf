// Claims a key, tells its fence, and waits to be killed: with the claim in progress, or complete in a transaction that is open.
import { connectWorker } from '@posthorn/test-brokers'
import { openStore, type Kind } from './open-store.ts'

interface Parameters {
  readonly kind: Kind
  readonly url: string
  readonly key: string
  readonly leaseMs: number
  readonly inTransaction: boolean
}

const worker = connectWorker<Parameters>()
const { kind, url, key, leaseMs, inTransaction } = worker.parameters
const { store, begin } = await openStore(kind, url)
const { claims } = inTransaction ? store.in(await begin()) : store
const [answer] = await claims.claim([{ key, owner: 'the worker', leaseMs }])
if (answer?.status !== 'claimed') throw new Error(`The claim is ${answer?.status}`)
if (inTransaction) await claims.complete([{ key, fence: answer.fence, retentionMs: 60_000 }])
await worker.tell({ type: 'claimed', fence: answer.fence })
