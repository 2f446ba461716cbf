import type {
  ClaimedMessage,
  Outbox,
  OutboxBatch,
  OutboxDepth,
  OutboxMessage,
  OutboxQuery,
  OutboxRelease,
} from '../contract/outbox.ts'
import { epochMs, fromNow, inputOf, inputTexts, type PostgresSession } from './postgres-session.ts'

interface Row {
  readonly fence: number | string | bigint
  /** Whether there may be more beyond the oldest ones. */
  readonly more: boolean
  /** `null` in the only row of a batch without messages. */
  readonly id: string | null
  readonly key: string | null
  readonly body: string
  readonly claims: number
  /** Whether it was free when it came to taking it. */
  readonly taken: boolean
}

export class PostgresOutbox implements Outbox {
  readonly #session: PostgresSession
  readonly #claimOldest: string
  readonly #claimAny: string

  constructor(session: PostgresSession) {
    this.#session = session
    const { outbox } = session
    const window = '2 * $1::bigint + 100'
    this.#claimOldest = this.#claimAmong(
      `among AS MATERIALIZED (SELECT sequence, key, free_at FROM ${outbox} ORDER BY sequence LIMIT ${window})`,
      `(SELECT count(*) FROM among) = ${window}`,
    )
    // Goes from key to key in the index, so that a key which is held costs one look however many messages it has.
    this.#claimAny = this.#claimAmong(
      `RECURSIVE keys AS (
        SELECT min(key) AS key FROM ${outbox} UNION ALL
        SELECT (SELECT min(key) FROM ${outbox} WHERE key > keys.key) FROM keys WHERE key IS NOT NULL
      ), among AS MATERIALIZED (
        SELECT first.* FROM keys CROSS JOIN LATERAL (
          SELECT sequence, key, free_at FROM ${outbox} AS own WHERE own.key = keys.key ORDER BY sequence LIMIT 1
        ) AS first
        UNION ALL
        (SELECT sequence, key, free_at FROM ${outbox}
          WHERE key IS NULL AND free_at <= clock_timestamp() ORDER BY sequence LIMIT $1)
      )`,
      'false',
    )
  }

  /**
   * `among` are the messages to look at; of a key that is among them, from its first message on. Only the first one of a key
   * can be locked, and with it come those behind it that are free, up to the first that is not: whoever looks at the
   * same time sees a later one with something ahead of it, locked or not.
   */
  #claimAmong(among: string, more: string): string {
    const { outbox, next } = this.#session
    return `WITH ${among}, batch AS MATERIALIZED (
        SELECT ${next} AS fence, clock_timestamp() AS now
      ), free AS MATERIALIZED (
        SELECT sequence, key, key IS NULL OR place = 1 AS is_first FROM (
          SELECT sequence, key, free_at, row_number() OVER line AS place, bool_and(free_at <= now) OVER line AS line_is_free, now
          FROM among, batch WINDOW line AS (PARTITION BY key ORDER BY sequence)
        ) AS message
        WHERE CASE WHEN key IS NULL THEN free_at <= now ELSE line_is_free END
      ), head AS MATERIALIZED (
        SELECT sequence, key FROM ${outbox}
        WHERE sequence IN (SELECT sequence FROM free WHERE is_first) AND free_at <= (SELECT now FROM batch)
        ORDER BY sequence LIMIT $1 FOR UPDATE SKIP LOCKED
      ), chosen AS MATERIALIZED (
        SELECT sequence FROM head UNION ALL
        SELECT free.sequence FROM free JOIN head USING (key) WHERE NOT is_first
        ORDER BY sequence LIMIT $1
      ), taken AS (
        UPDATE ${outbox} AS message SET free_at = ${fromNow('$2::bigint')}, fence = batch.fence, claims = claims + 1
        FROM chosen, batch WHERE message.sequence = chosen.sequence AND free_at <= batch.now
        RETURNING message.sequence, claims
      )
      SELECT batch.fence, ${more} AS more, id, key, body, coalesce(taken.claims, 0) AS claims, taken.sequence IS NOT NULL AS taken
      FROM batch LEFT JOIN (chosen JOIN ${outbox} USING (sequence) LEFT JOIN taken USING (sequence)) ON true
      ORDER BY sequence`
  }

  async append(messages: readonly OutboxMessage[]): Promise<void> {
    const sql = `INSERT INTO ${this.#session.outbox} (id, key, body)
      SELECT id, key, body
      FROM ROWS FROM (json_to_recordset($1::text::json) AS (id text, key text, body text)) WITH ORDINALITY AS message (id, key, body, place)
      ORDER BY place ON CONFLICT (id) DO NOTHING`
    await this.#session.query(sql, JSON.stringify(messages))
  }

  async claim({ limit, leaseMs }: OutboxQuery): Promise<OutboxBatch> {
    const oldest = await this.#session.query<Row>(this.#claimOldest, limit, leaseMs)
    const batch = await this.#toBatch(oldest)
    if (batch.messages.length > 0 || oldest[0]?.more !== true) return batch
    // The oldest are all held, or behind what is held: those of other keys are not to wait for them.
    return this.#toBatch(await this.#session.query<Row>(this.#claimAny, limit, leaseMs))
  }

  async #toBatch(rows: readonly Row[]): Promise<OutboxBatch> {
    const fence = Number(rows[0]?.fence)
    const messages: ClaimedMessage[] = []
    const behindOthers: string[] = []
    const heldKeys = new Set<string | null>()
    for (const { id, key, body, claims, taken } of rows) {
      if (id === null) continue
      if (!taken) heldKeys.add(key)
      else if (key !== null && heldKeys.has(key)) behindOthers.push(id)
      else messages.push(key === null ? { id, body, claims } : { id, body, key, claims })
    }
    // Another relay was faster with a message between ours, which was the first of its key when it looked.
    if (behindOthers.length > 0) await this.release({ fence, ids: behindOthers })
    return { fence, messages }
  }

  async sent(ids: readonly string[]): Promise<void> {
    const sql = `DELETE FROM ${this.#session.outbox} WHERE id IN ${inputTexts()}`
    await this.#session.query(sql, ...inputOf(ids))
  }

  async release({ fence, ids, delayMs = 0 }: OutboxRelease): Promise<void> {
    const sql = `UPDATE ${this.#session.outbox} SET free_at = ${fromNow('$4::bigint')}
      WHERE id IN ${inputTexts()} AND fence = $3`
    await this.#session.query(sql, ...inputOf(ids), fence, delayMs)
  }

  async depth(): Promise<OutboxDepth> {
    const sql = `SELECT count(*) AS waiting, ${epochMs('(clock_timestamp() - min(appended_at))')} AS oldest_ms FROM ${this.#session.outbox}`
    const [row] = await this.#session.query<{ waiting: number; oldest_ms: number | null }>(sql)
    const oldestMs = row?.oldest_ms ?? undefined
    return {
      waiting: Number(row?.waiting),
      oldestMs: oldestMs === undefined ? undefined : Math.max(0, Number(oldestMs)),
    }
  }
}
