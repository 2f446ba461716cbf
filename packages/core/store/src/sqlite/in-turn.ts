import { AsyncLocalStorage } from 'node:async_hooks'
import type { SqliteDatabase } from './sqlite-database.ts'

/** When the last transaction on a connection has ended. */
const lastEnds = new WeakMap<SqliteDatabase, Promise<unknown>>()

interface Turn {
  readonly database: SqliteDatabase
  /** What its work has begun may go on for longer, and is no part of it then. */
  isOver: boolean
}

/** Of the connection whose turn it is, for all that its work calls. */
const turns = new AsyncLocalStorage<Turn>()

/** Runs a transaction when all that were asked for before on the connection have ended. */
export async function inTurn<Value>(database: SqliteDatabase, work: () => Promise<Value>): Promise<Value> {
  const before = lastEnds.get(database)
  const done = (async () => {
    await before
    const turn = { database, isOver: false }
    try {
      return await turns.run(turn, work)
    } finally {
      turn.isOver = true
    }
  })()
  lastEnds.set(
    database,
    done.catch(() => undefined),
  )
  return done
}

/**
 * The same for what is no part of a transaction. At once where there are none, and inside of one, which would wait for
 * itself: whoever calls has to look whether one is open.
 */
export async function betweenTransactions<Value>(
  database: SqliteDatabase,
  work: () => Value,
): Promise<Value> {
  const turn = turns.getStore()
  const isInside = turn?.database === database && !turn.isOver
  if (!lastEnds.has(database) || isInside) return work()
  return inTurn(database, async () => work())
}
