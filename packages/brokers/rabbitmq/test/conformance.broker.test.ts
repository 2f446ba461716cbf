import { describeTransport } from '@posthorn/conformance'
import { tryStartRabbitmq, type RabbitmqVersion } from '@posthorn/test-brokers'
import { afterAll, expect, test } from 'vitest'
import { createRabbitmqHarness, rabbitmqFaults } from './rabbitmq-harness.ts'

/** What every run of the tests can have; `npm run compat` runs all that the machine can have. */
const usualVersions = ['3.10', '4.0'] as const
const wanted = (process.env['POSTHORN_RABBITMQ_VERSION'] ?? '') as RabbitmqVersion | ''

for (const version of wanted === '' ? usualVersions : [wanted]) {
  const name = `rabbitmq-${version}`
  const { server, reason } = await tryStartRabbitmq({ version })
  test(`${name} can be had`, (context) => {
    if (reason !== undefined) context.skip(reason)
    expect(server?.url).toContain('amqp://')
  })
  if (server === undefined) continue
  describeTransport({
    name,
    create: () => Promise.resolve(createRabbitmqHarness(server)),
    faults: rabbitmqFaults,
    // After several restarts in a row the next try to connect may be half a minute away.
    patienceMs: 45_000,
    testTimeoutMs: 240_000,
    concurrent: true,
    // The others break a connection, or a queue that no other test has.
    // Nor must a proxy start on the port of one that refuses.
    alone: ['restart', 'block', 'refuse'],
  })
  afterAll(() => server.stop())
}
