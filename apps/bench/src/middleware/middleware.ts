import { startPostgres, startRedis, type TestServer } from '@posthorn/test-brokers'
import { policyCosts } from './policy-costs.ts'
import { policyNames } from './policy-names.ts'
import { recordClients, type Database } from './record-client.ts'
import { recordRates } from './record-rates.ts'
import { takeTurns } from './take-turns.ts'
import type { PolicyTask } from './policy-child.ts'
import type { RecordsTask } from './records-child.ts'
import type { Scenario } from '../scenario.ts'

const servers: Readonly<Record<Database, () => Promise<TestServer>>> = {
  // One of its own, since it is emptied after each round.
  redis: async () => startRedis({ config: {} }),
  postgres: startPostgres,
}

/** What the policies cost a message, and how fast idempotency is on a database. */
export const middlewareScenario: Scenario = {
  name: 'middleware',
  description: 'each policy on the in-memory broker, and idempotency on Redis and PostgreSQL',
  async run({ quick }) {
    const rounds = quick ? 5 : 9
    const messages = quick ? 80_000 : 300_000
    const records = quick ? 4_000 : 20_000

    const policyTasks = byName(policyNames, (policy): PolicyTask => ({ policy, messages }))
    const policies = await takeTurns('./middleware/policy-child.ts', policyTasks, rounds)
    const measure = async (database: Database) => {
      const server = await servers[database]()
      console.log(`${database} ${server.version}, on this machine`)
      try {
        const tasks = byName(recordClients, (client): RecordsTask => ({
          database,
          url: server.url,
          client,
          records,
        }))
        return await takeTurns('./middleware/records-child.ts', tasks, rounds)
      } finally {
        await server.stop()
      }
    }
    const redis = await measure('redis')
    const postgres = await measure('postgres')
    console.log('')

    const parts = [
      policyCosts(messages, policies),
      recordRates('redis', records, redis),
      recordRates('postgres', records, postgres),
    ]
    return {
      head: ['what', 'median', 'added, or × wall', '× processor', 'rounds'],
      rows: parts.flatMap(({ rows }) => rows),
      goals: parts.flatMap(({ goals }) => goals),
      data: { rounds, messages, policies, records, redis, postgres },
    }
  },
}

function byName<Name extends string, Task>(
  names: readonly Name[],
  taskOf: (name: Name) => Task,
): Readonly<Record<Name, Task>> {
  return Object.fromEntries(names.map((name) => [name, taskOf(name)])) as unknown as Record<Name, Task>
}
