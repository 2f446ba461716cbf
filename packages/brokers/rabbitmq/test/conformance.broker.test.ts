import { describeTransport } from '@posthorn/conformance'
import { startRabbitmq, type RabbitmqServer, type RabbitmqVersion } from '@posthorn/test-brokers'
import { afterAll } from 'vitest'
import { createRabbitmqHarness, rabbitmqFaults } from './rabbitmq-harness.ts'

const version = (process.env['POSTHORN_RABBITMQ_VERSION'] ?? '3.10') as RabbitmqVersion

let server: Promise<RabbitmqServer> | undefined

describeTransport({
  name: `rabbitmq-${version}`,
  async create() {
    server ??= startRabbitmq({ version })
    return createRabbitmqHarness(await server)
  },
  faults: rabbitmqFaults,
  // After several restarts in a row the next try to connect may be half a minute away.
  patienceMs: 45_000,
  testTimeoutMs: 240_000,
})

afterAll(async () => (await server)?.stop())
