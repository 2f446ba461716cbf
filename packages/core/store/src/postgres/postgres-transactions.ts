import { StoreError } from '../store-error.ts'
import { fromPostgres } from './postgres-errors.ts'
import type { PostgresClient } from './postgres-session.ts'

/** A client that a pool has lent. */
interface PooledClient extends PostgresClient {
  on?(event: 'error', listener: (error: Error) => void): unknown
  off?(event: 'error', listener: (error: Error) => void): unknown
  /** With `true` its connection is closed, not used again. */
  release(destroy?: boolean): void
}

/** What is used of a `Pool` of pg. */
export interface PostgresPool<Client extends PooledClient> {
  connect(): Promise<Client>
}

/** Runs work in a transaction: commits when it has resolved, rolls back when it has rejected, and answers what it did. */
export type PostgresTransactions<Client> = <Value>(
  work: (transaction: Client) => Promise<Value>,
) => Promise<Value>

/**
 * Transactions on the connections of a pool, as many at a time as it has. `postgresTransactions<PoolClient>(pool)` gives the
 * work all that pg's clients can do.
 */
export function postgresTransactions<Client extends PooledClient>(
  pool: PostgresPool<Client>,
): PostgresTransactions<Client> {
  return async (work) => {
    const client = await told(async () => pool.connect())
    // Its query, or the next one, rejects; without a listener the process would end, too.
    client.on?.('error', ignore)
    // One whose state is not known must not be lent again.
    let destroy = true
    try {
      await told(async () => client.query('BEGIN'))
      const value = await work(client)
      checkCommitted(await told(async () => client.query('COMMIT')))
      destroy = false
      return value
    } catch (error) {
      destroy = await client.query('ROLLBACK').then(
        () => false,
        () => true,
      )
      throw error
    } finally {
      if (!destroy) client.off?.('error', ignore)
      client.release(destroy)
    }
  }
}

const ignore = (): void => undefined

async function told<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (error) {
    throw fromPostgres(error)
  }
}

/** After a statement that has failed, PostgreSQL answers a COMMIT with a rollback, and no error. */
function checkCommitted(result: object): void {
  if ((result as { readonly command?: unknown }).command !== 'ROLLBACK') return
  const text =
    'The transaction was rolled back at its end, since a statement in it had failed and the work went on. Let such errors reject the work, or use a savepoint.'
  throw new StoreError('POSTHORN_STORE_FAILED', text)
}
