import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll } from 'vitest'
import { describeStore } from '@posthorn/conformance'
import { postgresSubject, type BeginPostgres } from './postgres-subject.ts'

let database: PGlite

beforeAll(async () => {
  database = await PGlite.create()
}, 60_000)

afterAll(async () => database.close())

// It has one connection, on which everything else waits while a transaction is open.
const subject = postgresSubject('pglite', () => ({ client: database, begin }))

describeStore({ ...subject, sharesClock: true, programs: 20 })

async function begin(): ReturnType<BeginPostgres> {
  return new Promise((resolve, reject) => {
    let end: (how: 'commit' | 'rollback') => void
    const ending = new Promise<'commit' | 'rollback'>((settle) => (end = settle))
    const whole = database.transaction(async (transaction) => {
      const finish = (how: 'commit' | 'rollback') => async (): Promise<void> => {
        end(how)
        await whole
      }
      resolve({ transaction, commit: finish('commit'), rollback: finish('rollback') })
      if ((await ending) === 'rollback') await transaction.rollback()
    })
    whole.catch(reject)
  })
}
