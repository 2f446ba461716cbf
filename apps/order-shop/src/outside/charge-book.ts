import { sqliteTransactions } from '@posthorn/store/sqlite'
import type { SqliteDatabase, SqliteTransactions } from '@posthorn/store/sqlite'
import type { Message } from '@posthorn/transport'
import type { ChargeDatabase } from './charge-database.ts'
import type { Life } from './life.ts'
import type { Stage } from './stage.ts'

/** The table `charges`: what stands there, the customer pays. It does not care whether an order stands there twice. */
export interface ChargeBook extends Pick<ChargeDatabase, 'store'> {
  /** Opens a transaction, one at a time. */
  readonly transaction: SqliteTransactions
  /** Notes that an event came again, and that nothing was done about it. */
  readonly onRepetition: (message: Message) => void
}

/** The book as one process has it open. The process may crash right before a commit that holds a charge, and right after. */
export function createChargeBook(stage: Stage, { database, store }: ChargeDatabase, life: Life): ChargeBook {
  const inTransaction = sqliteTransactions(database)
  const lastCharge = database.prepare('SELECT max(rowid) AS place FROM charges')
  const laterCharges = database.prepare(
    'SELECT order_id AS orderId, customer_id AS customerId FROM charges WHERE rowid > ?',
  )

  async function run<Value>(work: () => Promise<Value>): Promise<readonly [Value, readonly Entered[]]> {
    const { place } = lastCharge.get() as { place: number | null }
    const value = await work()
    const entered = laterCharges.all(place ?? 0) as unknown as readonly Entered[]
    for (const { orderId } of entered) await stage.moment('charges', orderId, 'before')
    return [value, entered]
  }

  return {
    store,
    async transaction(work) {
      const [value, entered] = await life.wait(
        inTransaction((transaction) =>
          Promise.race([run(() => work(asLongAs(life, transaction))), life.ended]),
        ),
      )
      for (const { orderId, customerId } of entered) {
        stage.note({ effect: 'charge', orderId, customerId })
        await stage.moment('charges', orderId, 'after')
      }
      return value
    },
    onRepetition: ({ id }) => stage.note({ effect: 'repetition', of: 'charge', orderId: id }),
  }
}

interface Entered {
  readonly orderId: string
  readonly customerId: string
}

/** In one process with others, whoever has crashed must not write into the transactions of those that live. */
function asLongAs(life: Life, database: SqliteDatabase): SqliteDatabase {
  return {
    get isTransaction() {
      return life.alive && database.isTransaction
    },
    exec: (sql) => database.exec(sql),
    prepare(sql) {
      if (life.alive) return database.prepare(sql)
      throw new Error('The process has ended, and its connection with it')
    },
  }
}
