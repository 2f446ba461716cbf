import { DatabaseSync } from 'node:sqlite'
import { sqliteSchema } from '@posthorn/store/sqlite'
import type { Clock } from '@posthorn/transport'

let shops = 0

/** A shop's database in memory, which ends with its last connection. Answers how to open another one. */
export function createShop(clock: Pick<Clock, 'now'>): () => DatabaseSync {
  const name = `file:/shop-${(shops += 1)}?vfs=memdb`
  const first = open(name, clock)
  first.exec(sqliteSchema())
  first.exec('CREATE TABLE charges (position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL)')
  let isTaken = false
  return () => {
    if (isTaken) return open(name, clock)
    isTaken = true
    return first
  }
}

function open(name: string, clock: Pick<Clock, 'now'>): DatabaseSync {
  const database = new DatabaseSync(name)
  // What the store asks SQLite for, in its words: the time is that of the clock.
  database.function('unixepoch', (_subsec) => clock.now() / 1_000)
  return database
}

/** As its operating system ends it with its process. */
export function dropConnection(database: DatabaseSync): void {
  if (!database.isOpen) return
  if (database.isTransaction) database.exec('ROLLBACK')
  database.close()
}
