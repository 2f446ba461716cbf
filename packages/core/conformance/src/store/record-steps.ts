import type { RecordWrite, StoredRecord, StoreOperations } from '@posthorn/store'

/** Writes one record and answers its version, or `conflict`. */
export async function putOne(store: StoreOperations, write: RecordWrite): Promise<number | 'conflict'> {
  const [answer] = await store.records.put([write])
  return answer?.status === 'stored' ? answer.version : 'conflict'
}

export async function getOne(
  store: StoreOperations,
  id: { collection: string; key: string },
): Promise<StoredRecord | undefined> {
  return (await store.records.get([id]))[0]
}

export const keys = (records: readonly StoredRecord[]): string[] => records.map(({ key }) => key)
