import { Kafka, logLevel } from 'kafkajs'
import { kafka } from '@posthorn/kafka'
import { expect, test, vi } from 'vitest'
import { kafkaErrors } from '../src/protocol/error-names.ts'
import { apis, refusedByCoordinator } from './kafka-requests.ts'
import { KafkaSockets } from './kafka-sockets.ts'
import { withKafka } from './with-kafka.ts'

const bench = withKafka()
const patience = { timeout: 30_000 }
const { findCoordinator, fetchOffsets, commit, join, sync, heartbeat, leave } = apis

test.each(['COORDINATOR_LOAD_IN_PROGRESS', 'NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE'] as const)(
  'a coordinator that answers %s is asked again, whatever it was asked',
  async (name) => {
    const sockets = new KafkaSockets()
    const refused = new Map<number, number>()
    sockets.decide = (request) => {
      const count = refused.get(request.api) ?? 0
      const answer = count < 2 ? refusedByCoordinator(request, kafkaErrors[name]) : undefined
      if (answer === undefined) return 'pass'
      refused.set(request.api, count + 1)
      return { answer }
    }
    const transport = await kafka({
      kafka: new Kafka({
        brokers: [...bench.server.brokers],
        logLevel: logLevel.NOTHING,
        socketFactory: sockets.factory,
      }),
      // Only who has left makes room for the next one in time.
      sessionTimeoutMs: 120_000,
    })
    const seen: unknown[] = []
    const group = { group: name }
    const first = await transport.subscribe('events', ({ data }) => seen.push(data), group)
    await transport.publish('events', { data: 'one' })
    await vi.waitFor(() => expect(seen).toEqual(['one']), patience)
    await vi.waitFor(() => expect(refused.get(heartbeat)).toBe(2), patience)
    await first.stop()
    await transport.subscribe('events', (_, context) => context.deadLetter({ reason: 'no' }), group)
    await transport.publish('events', { data: 'two' })
    const letters = transport.deadLetters({ topic: 'events', group: name })
    await vi.waitFor(async () => expect(await letters.count()).toBe(1), patience)
    const counts = [findCoordinator, fetchOffsets, commit, join, sync, heartbeat, leave].map((api) =>
      refused.get(api),
    )
    expect(counts).toEqual(counts.map(() => 2))
    // A pass has a coordinator, too.
    refused.clear()
    expect(await letters.pass(() => 'discard')).toMatchObject({ discarded: 1, failed: 0 })
    expect([commit, join, sync].map((api) => refused.get(api))).toEqual([2, 2, 2])
    await transport.close()
  },
  120_000,
)
