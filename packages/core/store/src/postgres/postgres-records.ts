import type {
  DueQuery,
  PutAnswer,
  RecordId,
  RecordQuery,
  Records,
  RecordWrite,
  StoredRecord,
} from '../contract/records.ts'
import { inRounds } from '../in-rounds.ts'
import { epochMs, fromNow, inputOf, inputRows, type PostgresSession } from './postgres-session.ts'

interface Row {
  readonly collection: string
  readonly key: string
  readonly version: number | string | bigint
  readonly value: string
  readonly index: string | null
  readonly due_at: number | string | bigint | null
}

const live = '(expires_at IS NULL OR expires_at > clock_timestamp())'
const writeColumns =
  'place integer, collection text, key text, expected bigint, value text, index text, due_at bigint, due_in bigint, expires_in bigint, outbox json'
const columns = `collection, key, version, value, index, ${epochMs('due_at')} AS due_at`

export class PostgresRecords implements Records {
  readonly #session: PostgresSession
  readonly #put: string

  constructor(session: PostgresSession) {
    this.#session = session
    const { records, outbox, next } = session
    const dueAt = `coalesce(to_timestamp(due_at / 1000.0), ${fromNow('due_in')})`
    // One statement, and so all or nothing without a transaction of the caller's.
    this.#put = `WITH write AS MATERIALIZED (
        SELECT place, collection, key, expected, value, index, ${dueAt} AS due_at, ${fromNow('expires_in')} AS expires_at, outbox
        FROM ${inputRows(writeColumns)} AS input
      ), updated AS (
        UPDATE ${records} AS known SET version = ${next}, value = write.value, index = write.index,
          due_at = write.due_at, expires_at = write.expires_at
        FROM write
        WHERE known.collection = write.collection AND known.key = write.key AND known.version = write.expected
          AND (known.expires_at IS NULL OR known.expires_at > clock_timestamp())
        RETURNING known.collection, known.key, known.version
      ), inserted AS (
        INSERT INTO ${records} AS known (collection, key, version, value, index, due_at, expires_at)
        SELECT collection, key, ${next}, value, index, due_at, expires_at FROM write WHERE expected = 0
        ON CONFLICT (collection, key) DO UPDATE SET version = ${next}, value = excluded.value, index = excluded.index,
          due_at = excluded.due_at, expires_at = excluded.expires_at
        WHERE known.expires_at <= clock_timestamp()
        RETURNING known.collection, known.key, known.version
      ), stored AS (
        SELECT * FROM updated UNION ALL SELECT * FROM inserted
      ), appended AS (
        INSERT INTO ${outbox} (id, key, body)
        SELECT message.id, message.key, message.body
        FROM stored JOIN write USING (collection, key),
          ROWS FROM (json_to_recordset(write.outbox) AS (id text, key text, body text)) WITH ORDINALITY AS message (id, key, body, place)
        ORDER BY write.place, message.place
        ON CONFLICT (id) DO NOTHING
      )
      SELECT collection, key, version FROM stored`
  }

  async get(ids: readonly RecordId[]): Promise<(StoredRecord | undefined)[]> {
    const sql = `SELECT ${columns} FROM ${inputRows('collection text, key text')} AS wanted
      JOIN ${this.#session.records} USING (collection, key) WHERE ${live}`
    const rows = await this.#session.query<Row>(sql, ...inputOf(ids))
    const found = new Map(rows.map((row) => [nameOf(row), toRecord(row)]))
    return ids.map((id) => found.get(nameOf(id)))
  }

  async put(writes: readonly RecordWrite[]): Promise<PutAnswer[]> {
    return inRounds(writes, nameOf, async (round): Promise<PutAnswer[]> => {
      const input = round.map((write, place) => toInput(write, place))
      // The same order in every process, so that two batches cannot wait for each other.
      input.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
      const rows = await this.#session.query<Row>(this.#put, ...inputOf(input))
      const versions = new Map(rows.map((row) => [nameOf(row), Number(row.version)]))
      return round.map((write) => {
        const version = versions.get(nameOf(write))
        return version === undefined ? { status: 'conflict' } : { status: 'stored', version }
      })
    })
  }

  async list({ collection, index, after = '', limit }: RecordQuery): Promise<StoredRecord[]> {
    const selected = index === undefined ? '' : 'AND index = $4'
    const sql = `SELECT ${columns} FROM ${this.#session.records}
      WHERE collection = $1 AND key > $2 ${selected} AND ${live} ORDER BY key LIMIT $3`
    const chosen = index === undefined ? [] : [index]
    const rows = await this.#session.query<Row>(sql, collection, after, limit, ...chosen)
    return rows.map(toRecord)
  }

  async takeDue({ collection, limit, leaseMs }: DueQuery): Promise<StoredRecord[]> {
    const { records } = this.#session
    // A subquery for the time, since an index cannot be searched for what changes on the way.
    const sql = `WITH due AS MATERIALIZED (
        SELECT collection, key, due_at AS was_due_at FROM ${records}
        WHERE collection = $1 AND due_at <= (SELECT clock_timestamp()) AND ${live}
        ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED
      ), taken AS (
        UPDATE ${records} AS known SET due_at = ${fromNow('$3::bigint')} FROM due
        WHERE known.collection = due.collection AND known.key = due.key
        RETURNING known.*, was_due_at
      )
      SELECT ${columns} FROM taken ORDER BY was_due_at, key`
    return (await this.#session.query<Row>(sql, collection, limit, leaseMs)).map(toRecord)
  }
}

function toInput(write: RecordWrite, place: number) {
  const { collection, key, expectedVersion, value, index, due, expiresInMs, outbox = [] } = write
  return {
    place,
    collection,
    key,
    expected: expectedVersion,
    value,
    index,
    due_at: due !== undefined && 'at' in due ? due.at : undefined,
    due_in: due !== undefined && 'inMs' in due ? due.inMs : undefined,
    expires_in: expiresInMs,
    outbox,
  }
}

/** Names hold no NUL, so no two records have the same. */
function nameOf({ collection, key }: RecordId): string {
  return `${collection}\0${key}`
}

function toRecord({ collection, key, version, value, index, due_at }: Row): StoredRecord {
  const dueAt = due_at === null ? undefined : Number(due_at)
  return { collection, key, version: Number(version), value, index: index ?? undefined, dueAt }
}
