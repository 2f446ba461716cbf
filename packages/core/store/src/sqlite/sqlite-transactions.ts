import { fromSqlite } from './sqlite-errors.ts'
import type { SqliteDatabase } from './sqlite-database.ts'
import { inTurn } from './in-turn.ts'

/** Runs work in a transaction: commits when it has resolved, rolls back when it has rejected, and answers what it did. */
export type SqliteTransactions = <Value>(
  work: (transaction: SqliteDatabase) => Promise<Value>,
) => Promise<Value>

/**
 * Transactions on one connection, one after the other in the order in which they were asked for; what a store on the same
 * connection does by itself waits for its turn between them. Inside of the work, use `store.in(transaction)`; asking for
 * another transaction there would wait for ever.
 */
export function sqliteTransactions(database: SqliteDatabase): SqliteTransactions {
  return (work) => inTurn(database, () => runIn(database, work))
}

async function runIn<Value>(
  database: SqliteDatabase,
  work: (transaction: SqliteDatabase) => Promise<Value>,
): Promise<Value> {
  execute(database, 'BEGIN IMMEDIATE')
  try {
    const value = await work(database)
    execute(database, 'COMMIT')
    return value
  } catch (error) {
    // SQLite has rolled back by itself after some errors.
    if (database.isTransaction) execute(database, 'ROLLBACK')
    throw error
  }
}

function execute(database: SqliteDatabase, sql: string): void {
  try {
    database.exec(sql)
  } catch (error) {
    throw fromSqlite(error)
  }
}
