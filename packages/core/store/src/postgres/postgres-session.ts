import { fromPostgres } from './postgres-errors.ts'

/** What is used of a client: `Pool`, `Client` and `PoolClient` of pg have it, and PGlite. */
export interface PostgresClient {
  query(sql: string, parameters?: (string | number | null)[]): Promise<{ readonly rows: readonly unknown[] }>
}

/** A client, with the names of the tables in it. */
export class PostgresSession {
  readonly claims: string
  readonly records: string
  readonly outbox: string
  /** Draws a number from the store's only counter, from which fences and versions come. */
  readonly next: string
  readonly #client: PostgresClient

  constructor(client: PostgresClient, prefix: string) {
    this.#client = client
    this.claims = `${prefix}claims`
    this.records = `${prefix}records`
    this.outbox = `${prefix}outbox`
    this.next = `nextval('${prefix}counter')`
  }

  /** Numbers of 64 bits come as texts from some clients. */
  async query<Row>(sql: string, ...parameters: (string | number | null)[]): Promise<readonly Row[]> {
    try {
      const { rows } = await this.#client.query(sql, parameters)
      return rows as readonly Row[]
    } catch (error) {
      throw fromPostgres(error)
    }
  }
}

/** SQL for the time that is so many milliseconds from now; the clock goes on during a transaction. */
export function fromNow(milliseconds: string): string {
  return `clock_timestamp() + ${milliseconds} * interval '1 millisecond'`
}

/** SQL for epoch milliseconds. */
export function epochMs(time: string): string {
  return `round(extract(epoch FROM ${time}) * 1000)::bigint`
}

/**
 * SQL for a list of objects, given as JSON in the first parameter and their number in the second. With the number the planner
 * knows how few rows it has to look up, and does not read all of a table for them.
 */
export function inputRows(columns: string): string {
  return `(SELECT * FROM json_to_recordset($1::text::json) AS input (${columns}) LIMIT $2::bigint)`
}

/** The same for a list of texts. */
export function inputTexts(): string {
  return '(SELECT json_array_elements_text($1::text::json) AS key LIMIT $2::bigint)'
}

/** The first two parameters of a statement with such a list. */
export function inputOf(items: readonly unknown[]): [string, number] {
  return [JSON.stringify(items), items.length]
}
