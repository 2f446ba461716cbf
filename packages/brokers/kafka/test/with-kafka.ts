import { Kafka, logLevel } from 'kafkajs'
import { tryStartKafka, type KafkaServer } from '@posthorn/test-brokers'
import { afterAll, beforeAll, beforeEach } from 'vitest'

/** Starting one takes some seconds, and fetching it once a minute. */
const startMs = 180_000

/** One server for the tests of a file, which are skipped with the reason where it cannot be had. */
export function withKafka(): { readonly server: KafkaServer; readonly raw: Kafka; readonly url: string } {
  let started: Awaited<ReturnType<typeof tryStartKafka>> | undefined
  let kafka: Kafka | undefined

  beforeAll(async () => {
    started = await tryStartKafka({ config: { 'group.min.session.timeout.ms': 1_000 } })
    if (started.server === undefined) return
    kafka = new Kafka({ brokers: [...started.server.brokers], logLevel: logLevel.NOTHING })
  }, startMs)
  beforeEach((context) => {
    if (started?.reason !== undefined) context.skip(started.reason)
  })
  afterAll(() => started?.server?.stop())

  return {
    get server() {
      return started!.server!
    },
    get raw() {
      return kafka!
    },
    get url() {
      return started!.server!.url
    },
  }
}
