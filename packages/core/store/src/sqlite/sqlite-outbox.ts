import type {
  ClaimedMessage,
  Outbox,
  OutboxBatch,
  OutboxDepth,
  OutboxMessage,
  OutboxQuery,
  OutboxRelease,
} from '../contract/outbox.ts'
import type { SqliteSession } from './sqlite-session.ts'

interface Row {
  readonly sequence: number
  readonly id: string
  readonly key: string | null
  readonly body: string
  readonly claims: number
}

export class SqliteOutbox implements Outbox {
  readonly #session: SqliteSession
  readonly #table: string

  constructor(session: SqliteSession) {
    this.#session = session
    this.#table = `${session.prefix}outbox`
  }

  async append(messages: readonly OutboxMessage[]): Promise<void> {
    await this.#session.write(() => this.appendNow(messages, this.#session.now()))
  }

  /** As a part of what is being written. */
  appendNow(messages: readonly OutboxMessage[], now: number): void {
    const sql = `INSERT INTO ${this.#table} (id, key, body, appended_at, free_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`
    for (const { id, key = null, body } of messages) this.#session.run(sql, id, key, body, now, now)
  }

  async claim({ limit, leaseMs }: OutboxQuery): Promise<OutboxBatch> {
    // Free, and with nothing ahead of it in its key that is not.
    const select = `SELECT sequence, id, key, body, claims + 1 AS claims FROM ${this.#table} AS message
      WHERE free_at <= ?1 AND NOT EXISTS (
        SELECT 1 FROM ${this.#table} AS ahead
        WHERE ahead.key = message.key AND ahead.sequence < message.sequence AND ahead.free_at > ?1
      )
      ORDER BY sequence LIMIT ?2`
    const update = `UPDATE ${this.#table} SET free_at = ?, fence = ?, claims = claims + 1 WHERE sequence = ?`
    return this.#session.write(() => {
      const now = this.#session.now()
      const fence = this.#session.next(1)
      const rows = this.#session.all(select, now, limit) as Row[]
      for (const { sequence } of rows) this.#session.run(update, now + leaseMs, fence, sequence)
      return { fence, messages: rows.map(toMessage) }
    })
  }

  async sent(ids: readonly string[]): Promise<void> {
    const sql = `DELETE FROM ${this.#table} WHERE id = ?`
    await this.#session.write(() => {
      for (const id of ids) this.#session.run(sql, id)
    })
  }

  async release({ fence, ids, delayMs = 0 }: OutboxRelease): Promise<void> {
    const sql = `UPDATE ${this.#table} SET free_at = ? WHERE id = ? AND fence = ?`
    await this.#session.write(() => {
      const now = this.#session.now()
      for (const id of ids) this.#session.run(sql, now + delayMs, id, fence)
    })
  }

  async depth(): Promise<OutboxDepth> {
    const sql = `SELECT count(*) AS waiting, min(appended_at) AS oldest FROM ${this.#table}`
    return this.#session.read(() => {
      const { waiting, oldest } = this.#session.get(sql) as { waiting: number; oldest: number | null }
      return { waiting, oldestMs: oldest === null ? undefined : Math.max(0, this.#session.now() - oldest) }
    })
  }
}

function toMessage({ id, key, body, claims }: Row): ClaimedMessage {
  return key === null ? { id, body, claims } : { id, body, key, claims }
}
