import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import {
  tryStartKafka,
  tryStartRabbitmq,
  type RabbitmqVersion,
  type TestServer,
} from '@posthorn/test-brokers'
import { connect, type Transport, type TransportOptions } from '@posthorn/transport'

export interface Bench {
  readonly url: string
  /** Closed after the test. */
  open(options?: TransportOptions): Promise<Transport>
}

/** Starts a server before the tests of this block, or skips them with the reason. */
export type WithBroker = () => Bench

export const withRabbitmq = (version: RabbitmqVersion = '3.10'): Bench =>
  withBroker(() => tryStartRabbitmq({ version }))

/** For `describe.each`. */
export const brokers: readonly (readonly [name: string, start: WithBroker])[] = [
  ['RabbitMQ', () => withRabbitmq()],
  ['Kafka', () => withBroker(() => tryStartKafka())],
]

function withBroker(start: () => Promise<{ readonly server?: TestServer; readonly reason?: string }>): Bench {
  let server: TestServer | undefined
  let reason: string | undefined
  const opened: Transport[] = []

  beforeAll(async () => {
    // Installing it the first time takes as long as the network does.
    ;({ server, reason } = await start())
  }, 180_000)
  beforeEach((context) => {
    if (reason !== undefined) context.skip(reason)
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((transport) => transport.close({ deadlineMs: 1_000 })))
  })
  afterAll(async () => {
    await server?.stop()
  })

  const url = (): string => {
    if (server === undefined) throw new Error('There is no server.')
    return server.url
  }
  return {
    get url() {
      return url()
    },
    async open(options = {}) {
      const transport = await connect(url(), { load: (name) => import(name), ...options })
      opened.push(transport)
      return transport
    },
  }
}
