import type { OutboxMessage, StoreOperations } from '@posthorn/store'
import { leaseMs } from './store-bench.ts'

export interface Took {
  readonly fence: number
  readonly ids: readonly string[]
}

/** Claims, and answers the last part of each id, for short comparisons. */
export async function take(
  store: StoreOperations,
  limit = 1_000,
): Promise<Took & { readonly words: string[] }> {
  const { fence, messages } = await store.outbox.claim({ limit, leaseMs })
  const ids = messages.map(({ id }) => id)
  return { fence, ids, words: ids.map((id) => id.split('/')[1] ?? id) }
}

export const message = (run: string, word: string, key?: string): OutboxMessage =>
  key === undefined
    ? { id: `${run}/${word}`, body: word }
    : { id: `${run}/${word}`, body: word, key: `${run}/${key}` }
