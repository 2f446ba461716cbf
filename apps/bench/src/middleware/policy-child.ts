import type { Middleware, PublishMiddleware, Transport } from '@posthorn/transport'
import { memory } from '@posthorn/transport/memory'
import { flow, type FlowTime } from '../flow.ts'
import { answerAll } from '../in-child.ts'
import type { PolicyName } from './policy-names.ts'

export interface PolicyTask {
  readonly policy: PolicyName
  readonly messages: number
}

interface Chain {
  readonly use: readonly Middleware[]
  readonly publishUse: readonly PublishMiddleware[]
}

/** Loads nothing of the others' into the process. */
const chains: Readonly<Record<PolicyName, () => Promise<Chain>>> = {
  none: async () => ({ use: [], publishUse: [] }),
  async metrics() {
    const { createMetrics } = await import('@posthorn/metrics')
    const { use, publishUse } = createMetrics()
    return { use: [use], publishUse: [publishUse] }
  },
  async retry() {
    const { retry } = await import('@posthorn/dlq-retry')
    return { use: [retry({ when: [{ codes: 'card_declined', retry: false }] })], publishUse: [] }
  },
  async breaker() {
    const { createBreaker } = await import('@posthorn/circuit-breaker')
    return { use: [createBreaker({ name: 'bank', slowMs: 1_000 }).consume()], publishUse: [] }
  },
  async idempotency() {
    const { idempotency } = await import('@posthorn/idempotency')
    const { memoryStore } = await import('@posthorn/store/memory')
    // A week passes in 0.6 s: for each claim that comes one expires, as after weeks, and some 100,000 are there.
    const startedAt = Date.now()
    const store = memoryStore({ maxClaims: 250_000, now: () => (Date.now() - startedAt) * 1e6 })
    return { use: [idempotency({ store, leaseMs: month })], publishUse: [] }
  },
  async chain() {
    const { metrics, retry, breaker, idempotency } = chains
    const all = await Promise.all([metrics(), retry(), breaker(), idempotency()])
    return { use: all.flatMap(({ use }) => use), publishUse: all.flatMap(({ publishUse }) => publishUse) }
  },
}

/** Milliseconds. */
const month = 30 * 86_400_000

let opened: { readonly transport: Transport; readonly chain: Chain } | undefined

answerAll(async ({ policy, messages }: PolicyTask): Promise<FlowTime> => {
  if (opened === undefined) {
    const chain = await chains[policy]()
    opened = { transport: await memory({ publishUse: chain.publishUse }), chain }
  }
  globalThis.gc?.()
  const { transport, chain } = opened
  return flow(transport, { messages, inFlight: 1000, concurrency: 100, use: chain.use })
})
