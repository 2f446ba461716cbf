import type {
  DueQuery,
  PutAnswer,
  RecordId,
  RecordQuery,
  Records,
  RecordWrite,
  StoredRecord,
} from '../contract/records.ts'
import type { SqliteOutbox } from './sqlite-outbox.ts'
import type { SqliteSession } from './sqlite-session.ts'

interface Row {
  readonly collection: string
  readonly key: string
  readonly version: number
  readonly value: string
  readonly index: string | null
  readonly due_at: number | null
}

const columns = 'collection, key, version, value, "index", due_at'
const live = '(expires_at IS NULL OR expires_at > ?)'

export class SqliteRecords implements Records {
  readonly #session: SqliteSession
  readonly #outbox: SqliteOutbox
  readonly #table: string

  constructor(session: SqliteSession, outbox: SqliteOutbox) {
    this.#session = session
    this.#outbox = outbox
    this.#table = `${session.prefix}records`
  }

  async get(ids: readonly RecordId[]): Promise<(StoredRecord | undefined)[]> {
    return this.#session.read(() => {
      const now = this.#session.now()
      return ids.map((id) => this.#find(id, now))
    })
  }

  #find({ collection, key }: RecordId, now: number): StoredRecord | undefined {
    const sql = `SELECT ${columns} FROM ${this.#table} WHERE collection = ? AND key = ? AND ${live}`
    const row = this.#session.get(sql, collection, key, now) as Row | undefined
    return row === undefined ? undefined : toRecord(row)
  }

  async put(writes: readonly RecordWrite[]): Promise<PutAnswer[]> {
    return this.#session.write(() => {
      const now = this.#session.now()
      const firstVersion = this.#session.next(writes.length)
      return writes.map((write, index) => this.#put(write, firstVersion + index, now))
    })
  }

  #put(write: RecordWrite, version: number, now: number): PutAnswer {
    const { collection, key, expectedVersion, value, index = null, due, expiresInMs, outbox = [] } = write
    if ((this.#find(write, now)?.version ?? 0) !== expectedVersion) return { status: 'conflict' }
    const dueAt = due === undefined ? null : 'at' in due ? due.at : now + due.inMs
    const expiresAt = expiresInMs === undefined ? null : now + expiresInMs
    this.#session.run(
      `INSERT OR REPLACE INTO ${this.#table} (${columns}, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
      ...[collection, key, version, value, index, dueAt, expiresAt],
    )
    this.#outbox.appendNow(outbox, now)
    return { status: 'stored', version }
  }

  async list({ collection, index, after = '', limit }: RecordQuery): Promise<StoredRecord[]> {
    const selected = index === undefined ? '' : 'AND "index" = ?'
    const sql = `SELECT ${columns} FROM ${this.#table} WHERE collection = ? AND key > ? ${selected} AND ${live} ORDER BY key LIMIT ?`
    return this.#session.read(() => {
      const now = this.#session.now()
      const chosen = index === undefined ? [] : [index]
      return (this.#session.all(sql, collection, after, ...chosen, now, limit) as Row[]).map(toRecord)
    })
  }

  async takeDue({ collection, limit, leaseMs }: DueQuery): Promise<StoredRecord[]> {
    const select = `SELECT ${columns} FROM ${this.#table} WHERE collection = ? AND due_at <= ? AND ${live} ORDER BY due_at LIMIT ?`
    const update = `UPDATE ${this.#table} SET due_at = ? WHERE collection = ? AND key = ?`
    return this.#session.write(() => {
      const now = this.#session.now()
      const rows = this.#session.all(select, collection, now, now, limit) as Row[]
      for (const { key } of rows) this.#session.run(update, now + leaseMs, collection, key)
      return rows.map((row) => toRecord({ ...row, due_at: now + leaseMs }))
    })
  }
}

function toRecord({ collection, key, version, value, index, due_at }: Row): StoredRecord {
  return { collection, key, version, value, index: index ?? undefined, dueAt: due_at ?? undefined }
}
