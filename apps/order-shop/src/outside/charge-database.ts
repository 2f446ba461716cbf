import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { sqliteStore } from '@posthorn/store/sqlite'
import type { SqliteDatabase } from '@posthorn/store/sqlite'
import type { Store } from '@posthorn/store'

export interface ChargeDatabase {
  readonly database: DatabaseSync
  /** What the inbox and the relay keep in the same file. */
  readonly store: Store<SqliteDatabase>
}

/** How long a process waits for another one that writes. */
const timeoutMs = 5_000

/** Opens `charges.db` in a run's folder, and makes it when it is not there. Any number of processes may. */
export async function openChargeDatabase(folder: string): Promise<ChargeDatabase> {
  const database = new DatabaseSync(join(folder, 'charges.db'), { timeout: timeoutMs })
  // What is committed survives the end of a process. The end of the machine is not played here, and costs 1,000 syncs.
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  database.exec(`CREATE TABLE IF NOT EXISTS charges (
    order_id TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    cents INTEGER NOT NULL,
    authorization TEXT
  ) STRICT`)
  const store = sqliteStore(database)
  await store.migrate()
  return { database, store }
}

/** The orders of all charges in a run's folder, one entry for each charge. */
export function readCharges(folder: string): string[] {
  const database = new DatabaseSync(join(folder, 'charges.db'), { readOnly: true })
  try {
    const rows = database.prepare('SELECT order_id FROM charges ORDER BY rowid').all()
    return rows.map((row) => String(row['order_id']))
  } finally {
    database.close()
  }
}
