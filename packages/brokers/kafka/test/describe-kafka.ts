import { describeTransport } from '@posthorn/conformance'
import { tryStartKafka, type KafkaVersion } from '@posthorn/test-brokers'
import { afterAll, expect, test, vi } from 'vitest'
import { createKafkaHarness, kafkaFaults } from './kafka-harness.ts'

/** Every run of the tests has the latest; `npm run compat` runs them all. */
const version = (process.env['POSTHORN_KAFKA_VERSION'] || '4.3') as KafkaVersion

/** The conformance suite on one node, or on a cluster of three. */
export async function describeKafka(nodes: 1 | 3): Promise<void> {
  const name = nodes === 1 ? `kafka-${version}` : `kafka-${version}-cluster`
  const { server, reason } = await tryStartKafka({
    version,
    nodes,
    config: {
      'group.min.session.timeout.ms': 1_000,
      // A node that was killed may not come back before its session is over, which lasts nine seconds by default.
      'broker.session.timeout.ms': 3_000,
      'broker.heartbeat.interval.ms': 500,
    },
  })
  test(`${name} can be had`, (context) => {
    if (reason !== undefined) context.skip(reason)
    expect(server?.brokers).toHaveLength(nodes)
  })
  if (server === undefined) return
  // They wait for nearly all of their time.
  vi.setConfig({ maxConcurrency: nodes === 1 ? 10 : 6 })
  describeTransport({
    name,
    create: () => Promise.resolve(createKafkaHarness(server)),
    faults: kafkaFaults,
    patienceMs: 60_000,
    testTimeoutMs: 240_000,
    concurrent: true,
    // All others befall the sockets of one test, or a group that no other test has.
    alone: ['restart'],
  })
  afterAll(() => server.stop())
}
