/** A value that SQLite can hold. */
type Value = null | number | bigint | string | Uint8Array

/** What is used of a `DatabaseSync` of `node:sqlite`. */
export interface SqliteDatabase {
  readonly isTransaction: boolean
  exec(sql: string): void
  prepare(sql: string): SqliteStatement
}

export interface SqliteStatement {
  all(...parameters: Value[]): unknown[]
  get(...parameters: Value[]): unknown
  run(...parameters: Value[]): { readonly changes: number | bigint }
}
