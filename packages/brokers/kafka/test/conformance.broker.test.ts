import { describeTransport } from '@posthorn/conformance'
import { tryStartKafka, type KafkaVersion } from '@posthorn/test-brokers'
import { afterAll, expect, test } from 'vitest'
import { createKafkaHarness, kafkaFaults } from './kafka-harness.ts'

const wanted = (process.env['POSTHORN_KAFKA_VERSION'] ?? '') as KafkaVersion | ''

for (const version of wanted === '' ? (['4.3'] as const) : [wanted]) {
  const name = `kafka-${version}`
  const { server, reason } = await tryStartKafka({
    version,
    config: { 'group.min.session.timeout.ms': 1_000 },
  })
  test(`${name} can be had`, (context) => {
    if (reason !== undefined) context.skip(reason)
    expect(server?.url).toContain('kafka://')
  })
  if (server === undefined) continue
  describeTransport({
    name,
    create: () => Promise.resolve(createKafkaHarness(server)),
    faults: kafkaFaults,
    patienceMs: 30_000,
    testTimeoutMs: 120_000,
  })
  afterAll(() => server.stop())
}
