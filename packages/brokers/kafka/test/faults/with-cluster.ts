import { Kafka, logLevel, type Admin } from 'kafkajs'
import { kafka, type KafkaOptions } from '@posthorn/kafka'
import { tryStartKafka, type KafkaServer } from '@posthorn/test-brokers'
import { eagerClock } from '@posthorn/test-faults'
import { afterAll, afterEach, beforeAll, beforeEach, vi } from 'vitest'
import type { Transport } from '@posthorn/transport'

/** Fetching it the first time takes as long as the network does. */
const startMs = 240_000

/** A dead node is known to be dead after 2 s, not 9; a session of a group ends after 1 s or more, not 6. */
const config = {
  'broker.session.timeout.ms': 2_000,
  'broker.heartbeat.interval.ms': 400,
  'group.min.session.timeout.ms': 1_000,
}

/** Servers of this file's own, and a plain client beside what is tested. */
export interface Cluster {
  readonly server: KafkaServer
  /** Not used by another test. */
  readonly name: (base: string) => string
  /** Closed after the test. */
  readonly open: (options?: Partial<KafkaOptions>) => Promise<Transport<Kafka>>
  /** Of kafkajs, which gives up easily while nodes are down: the act is tried again. */
  readonly admin: <Value>(act: (admin: Admin) => Promise<Value>) => Promise<Value>
}

/** Starts so many nodes before the tests of this block, or skips them with the reason. */
export function withCluster(nodes: 1 | 3): Cluster {
  let started: Awaited<ReturnType<typeof tryStartKafka>> | undefined
  let names = 0
  const opened: Transport[] = []

  beforeAll(async () => {
    started = await tryStartKafka({ nodes, config })
  }, startMs)
  beforeEach((context) => {
    if (started?.reason !== undefined) context.skip(started.reason)
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((transport) => transport.close({ deadlineMs: 1_000 })))
  })
  afterAll(() => started?.server?.stop())

  const server = (): KafkaServer => {
    if (started?.server === undefined) throw new Error('There is no server.')
    return started.server
  }
  return {
    get server() {
      return server()
    },
    name: (base) => `${base}-${(names += 1)}`,
    async open(options = {}) {
      const transport = await kafka({
        ...(options.kafka === undefined ? { url: server().url } : {}),
        clock: eagerClock,
        sendTimeoutMs: 10_000,
        sessionTimeoutMs: 6_000,
        ...options,
      })
      opened.push(transport)
      return transport
    },
    admin: (act) =>
      vi.waitFor(
        async () => {
          const admin = new Kafka({ brokers: [...server().brokers], logLevel: logLevel.NOTHING }).admin()
          await admin.connect()
          try {
            return await act(admin)
          } finally {
            await admin.disconnect()
          }
        },
        { timeout: 30_000, interval: 200 },
      ),
  }
}
