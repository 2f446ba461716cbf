import { StoreError } from '../store-error.ts'
import { betweenTransactions } from './in-turn.ts'
import type { SqliteDatabase, SqliteStatement } from './sqlite-database.ts'
import { fromSqlite } from './sqlite-errors.ts'

/** Of each connection, however many sessions it has one after the other. */
const statements = new WeakMap<SqliteDatabase, Map<string, SqliteStatement>>()

/** One connection, on which the parts of a store do their work. */
export class SqliteSession {
  /** Of the names of the tables. */
  readonly prefix: string
  readonly #database: SqliteDatabase
  readonly #joins: boolean
  readonly #statements: Map<string, SqliteStatement>

  /** With `joins` the work becomes a part of the transaction that is open on the connection. */
  constructor(database: SqliteDatabase, prefix: string, joins: boolean) {
    this.#database = database
    this.prefix = prefix
    this.#joins = joins
    this.#statements = statements.get(database) ?? new Map<string, SqliteStatement>()
    statements.set(database, this.#statements)
  }

  /** Milliseconds of the clock of the machine that SQLite runs on, which all its processes share. */
  now(): number {
    // Not "now" in the statements themselves, so that all of a batch has the same time.
    const row = this.get(`SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS now`) as { now: number }
    return row.now
  }

  /** `count` numbers of the store's only counter, from which fences and versions come; the first of them. */
  next(count: number): number {
    const sql = `UPDATE ${this.prefix}counter SET value = value + ? RETURNING value`
    const row = this.get(sql, count) as { value: number } | undefined
    if (row !== undefined) return row.value - count + 1
    const text = `The table ${this.prefix}counter has lost its row. Call migrate(), and never empty that table.`
    throw new StoreError('POSTHORN_STORE_NOT_MIGRATED', text)
  }

  all(sql: string, ...parameters: (string | number | null)[]): unknown[] {
    return this.#prepare(sql).all(...parameters)
  }

  get(sql: string, ...parameters: (string | number | null)[]): unknown {
    return this.#prepare(sql).get(...parameters)
  }

  /** The number of rows that were changed. */
  run(sql: string, ...parameters: (string | number | null)[]): number {
    return Number(this.#prepare(sql).run(...parameters).changes)
  }

  /** Work that only reads. */
  async read<Value>(work: () => Value): Promise<Value> {
    return this.#inTurn(() => {
      this.#checkTransaction()
      return work()
    })
  }

  /** All of the work, or nothing of it. */
  async write<Value>(work: () => Value): Promise<Value> {
    const [begin, commit, rollback] = this.#joins
      ? ['SAVEPOINT posthorn', 'RELEASE posthorn', 'ROLLBACK TO posthorn; RELEASE posthorn']
      : // Takes the lock that it needs at once; one that has read before may never get it.
        ['BEGIN IMMEDIATE', 'COMMIT', 'ROLLBACK']
    return this.#inTurn(() => {
      this.#checkTransaction()
      this.#database.exec(begin)
      try {
        const value = work()
        this.#database.exec(commit)
        return value
      } catch (error) {
        // SQLite has rolled back by itself after some errors.
        if (this.#database.isTransaction) this.#database.exec(rollback)
        throw error
      }
    })
  }

  async #inTurn<Value>(work: () => Value): Promise<Value> {
    try {
      return this.#joins ? work() : await betweenTransactions(this.#database, work)
    } catch (error) {
      throw fromSqlite(error)
    }
  }

  #checkTransaction(): void {
    const { isTransaction } = this.#database
    if (this.#joins && !isTransaction) {
      const text = 'store.in(database) needs a transaction that is open on the database: BEGIN it before.'
      throw new StoreError('POSTHORN_TRANSACTION_MISSING', text)
    }
    if (!this.#joins && isTransaction) {
      const text =
        'A transaction is open on the connection of the store, which this call is not part of. Use store.in(database) inside of it, or give the store a connection of its own.'
      throw new StoreError('POSTHORN_TRANSACTION_OPEN', text, { retryable: true })
    }
  }

  #prepare(sql: string): SqliteStatement {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}
