import { Redis } from 'ioredis'
import { Pool } from 'pg'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createDeadLetterTools } from '@posthorn/dlq-retry'
import { postgresStore } from '@posthorn/store/postgres'
import { seededRandom, tryStartPostgres, tryStartRedis } from '@posthorn/test-brokers'
import { startCrew, type Crew } from './killed-workers.ts'
import { effectsOf } from './workers/lease-stage.ts'
import { withRabbitmq } from './with-broker.ts'
import { fateOf } from './workers/real-tasks.ts'
import type { DeadLetter, OutgoingMessage, Transport } from '@posthorn/transport'

// What was held back while the breaker was open may take a minute to come again.
const patience = { timeout: 100_000, interval: 100 }
const concurrency = 5
const kills = 10

/** Every tenth is sent twice. */
const ids = Array.from({ length: 500 }, (_, index) => {
  if (index % 20 === 3) return `declined-${index}`
  return index % 40 === 7 ? `doomed-${index}` : `task-${index}`
})
const sendings: readonly OutgoingMessage[] = [...ids, ...ids.filter((_, index) => index % 10 === 5)].map(
  (id, index) => ({ id, type: index % 3 === 0 ? 'pay' : 'mail', data: { task: id } }),
)
const done = ids.filter((id) => fateOf(id) === 'done')

const bench = withRabbitmq()
let crew: Crew | undefined
const endings: (() => unknown)[] = []

afterEach(async () => {
  await crew?.end()
  crew = undefined
  for (const end of endings.splice(0)) await end()
})

/** Sends all while workers are killed, and answers what is dead in the end. */
async function runAndKill(
  transport: Transport,
  form: 'lease' | 'inbox',
  store: string,
  missing: () => Promise<readonly string[]>,
): Promise<readonly DeadLetter[]> {
  const queue = `${form}-tasks`
  const random = seededRandom(form === 'lease' ? 11 : 12)
  await transport.declare({ queues: [{ name: queue }] })
  const working = await startCrew(2, { form, rabbitmq: bench.url, store, queue }, random)
  crew = working
  // In parts, so that there is something to do at each kill.
  const part = Math.ceil(sendings.length / kills)
  for (let kill = 0; kill < kills; kill += 1) {
    await transport.sendMany(queue, sendings.slice(kill * part, (kill + 1) * part))
    await new Promise((resolve) => setTimeout(resolve, 20 + random() * 100))
    await working.kill()
    if (kill === 1) await working.bankIsUp()
  }
  const dead = ids.filter((id) => fateOf(id) !== 'done')
  const tools = createDeadLetterTools(transport, queue)
  const letters = async (): Promise<readonly DeadLetter[]> => (await tools.list({ limit: 1_000 })).entries
  await vi.waitFor(async () => {
    expect(await missing()).toEqual([])
    expect(new Set((await letters()).map(({ id }) => id))).toEqual(new Set(dead))
    expect(await transport.depth(queue)).toMatchObject({ ready: 0 })
    for (const { inFlight } of await working.counts()) expect(inFlight).toBe(0)
  }, patience)
  return letters()
}

/** Attempts are counted by failures alone, and metrics by what happened. */
async function checkAttempts(deadLetters: readonly DeadLetter[]): Promise<void> {
  const counted = { interrupted: 0, refusedByTheBank: 0 }
  for (const [id, { begun, failed }] of (await crew?.attempts()) ?? []) {
    expect({ id, attempt: Math.max(...begun) <= 1 + failed }).toEqual({ id, attempt: true })
    const isDone = fateOf(id) === 'done'
    counted.interrupted += begun.length - failed - (isDone ? 1 : 0)
    if (isDone) counted.refusedByTheBank += failed
  }
  // The kills met somebody at work.
  expect(counted.interrupted).toBeGreaterThanOrEqual(kills)
  expect(counted.refusedByTheBank).toBeGreaterThan(0)
  for (const { id, reason, attempts } of deadLetters) {
    const expected =
      fateOf(id) === 'declined' ? { reason: 'declined' } : { reason: 'attempts-exhausted', attempts: 3 }
    expect({ id, reason, attempts }).toMatchObject({ id, ...expected })
  }
  for (const { own, metrics } of (await crew?.counts()) ?? [])
    expect(metrics).toEqual({ received: own.received, ...own.ended })
}

describe('the whole chain on RabbitMQ, with workers that are killed by SIGKILL', () => {
  test(
    'and claims in Redis: each effect is there, and repeated only where a worker died',
    { timeout: 180_000 },
    async (context) => {
      const { server, reason } = await tryStartRedis()
      if (reason !== undefined) return context.skip(reason)
      endings.push(() => server.stop())
      const client = new Redis(server.url)
      endings.unshift(() => client.disconnect())
      const fencesOf = (id: string): Promise<string[]> => client.lrange(effectsOf(id), 0, -1)
      const deadLetters = await runAndKill(await bench.open(), 'lease', server.url, async () => {
        const fences = await Promise.all(done.map(fencesOf))
        return done.filter((_, index) => fences[index]?.length === 0)
      })
      let repeats = 0
      for (const id of ids) {
        const fences = (await fencesOf(id)).map(Number)
        expect({ id, fences: fences.toSorted((one, other) => one - other) }).toEqual({ id, fences })
        expect(new Set(fences).size).toBe(fences.length)
        if (fateOf(id) === 'done') repeats += fences.length - 1
        else expect({ id, fences }).toEqual({ id, fences: [] })
      }
      expect(repeats).toBeLessThanOrEqual(kills * concurrency)
      await checkAttempts(deadLetters)
    },
  )

  test(
    'and an inbox in PostgreSQL: each effect is there once, and so is what it sent',
    { timeout: 180_000 },
    async (context) => {
      const { server, reason } = await tryStartPostgres()
      if (reason !== undefined) return context.skip(reason)
      endings.push(() => server.stop())
      const pool = new Pool({ connectionString: server.url })
      endings.unshift(() => pool.end())
      pool.on('error', () => undefined)
      const store = postgresStore(pool)
      await store.migrate()
      await pool.query('CREATE TABLE charges (id text NOT NULL)')
      const receipts = new Map<string, Set<string>>()
      const transport = await bench.open()
      await transport.declare({ queues: [{ name: 'receipts' }] })
      await transport.consume<string>('receipts', ({ id, data }) => {
        receipts.set(data, (receipts.get(data) ?? new Set()).add(id))
      })
      const charged = async (): Promise<string[]> =>
        (await pool.query<{ id: string }>('SELECT id FROM charges')).rows.map(({ id }) => id)
      const deadLetters = await runAndKill(transport, 'inbox', server.url, async () => {
        const { waiting } = await store.outbox.depth()
        const effects = new Set(await charged())
        return [
          ...(waiting > 0 ? [`${waiting} in the outbox`] : []),
          ...done.filter((id) => !effects.has(id)),
          ...done.filter((id) => !receipts.has(id)).map((id) => `receipt of ${id}`),
        ]
      })
      expect((await charged()).toSorted()).toEqual(done.toSorted())
      expect([...receipts.keys()].toSorted()).toEqual(done.toSorted())
      expect([...receipts.values()].filter(({ size }) => size > 1)).toEqual([])
      await checkAttempts(deadLetters)
    },
  )
})
