import { postgresStore, type PostgresClient } from '@posthorn/store/postgres'
import { Pool } from 'pg'
import { openPosthorn } from './posthorn-records.ts'
import {
  batchSize,
  claimed,
  inParts,
  readCommands,
  type RecordClient,
  type RecordClientName,
} from './record-client.ts'

const { owner, leaseMs, retentionMs, payloadHash } = claimed

/** Of tables of its own: the server may be one that is used for something else. */
const prefix = 'bench_'

/** The shortest SQL that can tell a repetition. */
const shortest = {
  create: `CREATE TABLE IF NOT EXISTS ${prefix}once (key text COLLATE "C" PRIMARY KEY, lease_end timestamptz NOT NULL, done boolean NOT NULL)`,
  claim: `INSERT INTO ${prefix}once VALUES ($1, now() + interval '1 minute', false) ON CONFLICT DO NOTHING`,
  complete: `UPDATE ${prefix}once SET done = true WHERE key = $1`,
}

export async function openPostgres(url: string, name: RecordClientName): Promise<RecordClient> {
  const pool = new Pool({ connectionString: url, max: connections })
  const store = postgresStore(pool, { prefix })
  await store.migrate()
  await pool.query(shortest.create)
  const ends = {
    clear: async () => void (await pool.query(`TRUNCATE ${prefix}claims, ${prefix}once`)),
    close: async () => pool.end(),
  }
  if (name === 'posthorn') return openPosthorn(store, ends)
  if (name === 'shortest') {
    return {
      ...ends,
      run: async (records) =>
        inParts(records, 1, async (keys) => {
          const claim = await pool.query({ name: 'claim', text: shortest.claim, values: [...keys] })
          if (claim.rowCount !== 1) throw new Error(`${keys[0]} was claimed before`)
          await pool.query({ name: 'complete', text: shortest.complete, values: [...keys] })
        }),
    }
  }
  let last = ''
  const spy: PostgresClient = {
    query(sql, ...given) {
      last = sql
      return pool.query(sql, ...given)
    },
  }
  const { claim, complete } = await readCommands(postgresStore(spy, { prefix }), () => last)
  return {
    ...ends,
    run: async (records) =>
      inParts(records, name === 'batches' ? batchSize : 1, async (keys) => {
        const claims = keys.map((key) => ({ key, owner, lease_ms: leaseMs, payload_hash: payloadHash }))
        // With names they are parsed once in each connection.
        const { rows } = await pool.query<{ key: string; fence: string }>({
          name: 'claim',
          text: claim,
          values: [JSON.stringify(claims), keys.length],
        })
        const completions = rows.map(({ key, fence }) => ({ key, fence, retention_ms: retentionMs }))
        const { rowCount } = await pool.query({
          name: 'complete',
          text: complete,
          values: [JSON.stringify(completions), keys.length],
        })
        if (rowCount !== keys.length) throw new Error(`${keys[0]} was lost`)
      }),
  }
}

/** More make it slower on two cores. */
const connections = 10
