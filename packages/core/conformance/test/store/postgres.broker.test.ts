import { Pool } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeStore, runStoreBehaviour, storeBehaviours } from '@posthorn/conformance'
import { startPostgres, type TestServer } from '@posthorn/test-brokers'
import type { PostgresClient } from '@posthorn/store/postgres'
import { postgresSubject, type BeginPostgres } from './postgres-subject.ts'

let server: TestServer | undefined
let pool: Pool

beforeAll(async () => {
  server = await startPostgres()
  pool = new Pool({ connectionString: server?.url, max: 12 })
}, 180_000)

afterAll(async () => {
  await pool.end()
  await server?.stop()
})

const subject = postgresSubject('postgres', () => ({ client: pool, begin }))

describeStore({ ...subject, programs: 30 })

test('the suite catches an outbox that never looks back', async () => {
  const late = storeBehaviours.find(({ id }) => id === 't7')!
  const broken = postgresSubject('mutant', () => ({ client: withHighWaterMark(pool), begin }))
  await expect(runStoreBehaviour(broken, late)).resolves.toMatchObject({ result: 'failed' })
})

/** Claims only what comes after the last that it has given out, as relays do that remember a sequence. */
function withHighWaterMark(client: PostgresClient): PostgresClient {
  let last = 0
  return {
    async query(sql, parameters) {
      const after = `WHERE sequence > ${last} ORDER BY sequence LIMIT`
      const changed = sql
        .replace('ORDER BY sequence LIMIT', after)
        .replace('AS more, id', 'AS more, sequence, id')
      const result = await client.query(changed, parameters)
      for (const row of result.rows) {
        const { sequence } = row as { readonly sequence?: unknown }
        if (sequence !== undefined) last = Math.max(last, Number(sequence))
      }
      return result
    },
  }
}

async function begin(): ReturnType<BeginPostgres> {
  const client = await pool.connect()
  await client.query('BEGIN')
  const end = (word: string) => async (): Promise<void> => {
    await client.query(word)
    client.release()
  }
  return { transaction: client, commit: end('COMMIT'), rollback: end('ROLLBACK') }
}
