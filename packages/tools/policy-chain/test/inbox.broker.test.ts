import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test, vi } from 'vitest'
import { retry } from '@posthorn/dlq-retry'
import { createInbox } from '@posthorn/idempotency'
import { sqliteStore, sqliteTransactions } from '@posthorn/store/sqlite'
import { brokers } from './with-broker.ts'

const patience = { timeout: 20_000, interval: 20 }

describe.each(brokers)('on %s', (_broker, start) => {
  const bench = start()

  test('an inbox whose database is away spends neither attempts nor hand-outs', async () => {
    const database = new DatabaseSync(':memory:')
    const store = sqliteStore(database)
    await store.migrate()
    const inTransaction = sqliteTransactions(database)
    let refused = 0
    let isAway = true
    const inbox = createInbox({
      store,
      async transaction(work) {
        if (!isAway) return inTransaction(work)
        refused += 1
        throw new Error('the database is away')
      },
    })
    const transport = await bench.open()
    const handled: { attempt: number; deliveries: number }[] = []
    await transport.consume(
      'orders',
      inbox.handler((_, { attempt, deliveries }) => void handled.push({ attempt, deliveries })),
      { use: [retry({ maxAttempts: 2 })], maxDeliveries: 3 },
    )
    await transport.send('orders', { data: 1 })
    await vi.waitFor(() => expect(refused).toBeGreaterThan(4), patience)
    isAway = false
    await vi.waitFor(() => expect(handled).toHaveLength(1), patience)
    expect(handled).toMatchObject([{ attempt: 1 }])
    expect(await transport.deadLetters('orders').count()).toBe(0)
  })
})
