import { Pool, type PoolClient } from 'pg'
import { createInbox, createRelay } from '@posthorn/idempotency'
import { postgresStore, postgresTransactions } from '@posthorn/store/postgres'
import type { Transport } from '@posthorn/transport'
import type { Handle, RealStage } from './lease-stage.ts'

export async function openInboxStage(url: string, transport: Transport, handle: Handle): Promise<RealStage> {
  const pool = new Pool({ connectionString: url, max: 8 })
  pool.on('error', () => undefined)
  const store = postgresStore(pool)
  const inbox = createInbox({ store, transaction: postgresTransactions<PoolClient>(pool) })
  createRelay(store, transport, { pollMs: 50, leaseMs: 2_000, onFailure: () => undefined })
  return {
    use: [],
    handler: inbox.handler((message, context) =>
      handle(message, context, async () => {
        await context.transaction.query('INSERT INTO charges VALUES ($1)', [message.id])
        await context.send('receipts', { data: message.id })
      }),
    ),
  }
}
