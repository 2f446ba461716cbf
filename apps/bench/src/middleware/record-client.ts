import type { Store } from '@posthorn/store'

/** Something that claims records and marks them as done, in a database of its own kind and with a way of its own. */
export interface RecordClient {
  /** Claims and completes so many new records, a hundred at a time. */
  run(records: number): Promise<void>
  /** Removes what was written. */
  clear(): Promise<void>
  close(): Promise<void>
}

export const databases = ['redis', 'postgres'] as const
export type Database = (typeof databases)[number]

/**
 * `posthorn`: messages through the in-memory broker and `idempotency()`. The others are the bare client. `same commands`: those
 * that the store sends, for one record each. `shortest`: the fewest that can tell a repetition. `batches`: the store's, for fifty
 * records each, which nobody does whose records come one by one.
 */
export const recordClients = ['posthorn', 'same commands', 'shortest', 'batches'] as const
export type RecordClientName = (typeof recordClients)[number]

export const concurrency = 100
export const batchSize = 50

/** Of every claim. */
export const claimed = {
  owner: 'bench',
  /** Milliseconds. */
  leaseMs: 60_000,
  /** Milliseconds. */
  retentionMs: 7 * 86_400_000,
  payloadHash: 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg',
}

let made = 0

/** So many new keys, each time others. */
function newKeys(count: number): string[] {
  return Array.from({ length: count }, () => `bench/${process.pid}-${String(++made).padStart(30, '0')}`)
}

/** Works on all of the records, by so many at a time that `size` are under way in all. */
export async function inParts(
  records: number,
  size: number,
  work: (keys: readonly string[]) => Promise<unknown>,
): Promise<void> {
  let left = records
  const lane = async (): Promise<void> => {
    while (left > 0) {
      const count = Math.min(size, left)
      left -= count
      await work(newKeys(count))
    }
  }
  await Promise.all(Array.from({ length: concurrency / size }, lane))
}

/** What the store sends to claim and to complete, by `last`, which knows what it has sent. */
export async function readCommands(
  { claims }: Pick<Store, 'claims'>,
  last: () => string,
): Promise<{ readonly claim: string; readonly complete: string }> {
  const { owner, leaseMs, retentionMs, payloadHash } = claimed
  const [key = ''] = newKeys(1)
  const [answer] = await claims.claim([{ key, owner, leaseMs, payloadHash }])
  if (answer?.status !== 'claimed') throw new Error(`${key} was claimed before`)
  const claim = last()
  await claims.complete([{ key, fence: answer.fence, retentionMs }])
  return { claim, complete: last() }
}
