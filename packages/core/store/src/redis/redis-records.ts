import type {
  DueQuery,
  PutAnswer,
  RecordId,
  RecordQuery,
  Records,
  RecordWrite,
  StoredRecord,
} from '../contract/records.ts'
import type { RedisSession } from './redis-session.ts'
import { getScript, listScript, putScript, takeDueScript } from './scripts/record-scripts.ts'

type Row = readonly [key: string, version: string, value: string, index: string, dueAt: string]

export class RedisRecords implements Records {
  readonly #session: RedisSession

  constructor(session: RedisSession) {
    this.#session = session
  }

  async get(ids: readonly RecordId[]): Promise<(StoredRecord | undefined)[]> {
    const parameters = ids.flatMap(({ collection, key }) => [collection, key])
    const rows = (await this.#session.run(getScript, ...parameters)) as readonly (Row | readonly [])[]
    return rows.map((row, index) => (row.length === 0 ? undefined : toRecord(ids[index]!.collection, row)))
  }

  async put(writes: readonly RecordWrite[]): Promise<PutAnswer[]> {
    const versions = (await this.#session.runOnce(putScript, ...writes.flatMap(toParameters))) as string[]
    return versions.map((version) =>
      version === '' ? { status: 'conflict' } : { status: 'stored', version: Number(version) },
    )
  }

  async list({ collection, index = '', after = '', limit }: RecordQuery): Promise<StoredRecord[]> {
    const rows = (await this.#session.run(listScript, collection, index, after, limit)) as readonly Row[]
    return rows.map((row) => toRecord(collection, row))
  }

  async takeDue({ collection, limit, leaseMs }: DueQuery): Promise<StoredRecord[]> {
    const rows = (await this.#session.run(takeDueScript, collection, limit, leaseMs)) as readonly Row[]
    return rows.map((row) => toRecord(collection, row))
  }
}

function toParameters(write: RecordWrite): (string | number)[] {
  const { collection, key, expectedVersion, value, index = '', due, expiresInMs = '', outbox = [] } = write
  const dueAt = due !== undefined && 'at' in due ? due.at : ''
  const dueIn = due !== undefined && 'inMs' in due ? due.inMs : ''
  const messages = outbox.flatMap((message) => [message.id, message.key ?? '', message.body])
  return [
    ...[collection, key, expectedVersion, value, index, dueAt, dueIn, expiresInMs],
    ...[outbox.length, ...messages],
  ]
}

function toRecord(collection: string, [key, version, value, index, dueAt]: Row): StoredRecord {
  return {
    collection,
    key,
    version: Number(version),
    value,
    index: index === '' ? undefined : index,
    dueAt: dueAt === '' ? undefined : Number(dueAt),
  }
}
