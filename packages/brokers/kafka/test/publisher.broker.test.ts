import { isPosthornError, PartialPublishError } from '@posthorn/transport'
import { Kafka, logLevel, Partitioners } from 'kafkajs'
import { expect, onTestFinished, test } from 'vitest'
import { kafka } from '../src/index.ts'
import { apis, producedBatches } from './kafka-requests.ts'
import { KafkaSockets } from './kafka-sockets.ts'
import { withKafka } from './with-kafka.ts'
import type { KafkaOptions } from '../src/index.ts'
import type { Transport } from '@posthorn/transport'

const broker = withKafka()

async function open(options: KafkaOptions = { url: broker.url }): Promise<Transport> {
  const transport = await kafka({ topology: 'none', ...options })
  onTestFinished(async () => void (await transport.close()))
  return transport
}

function through({ factory }: KafkaSockets): KafkaOptions {
  const brokers = [...broker.server.brokers]
  return { kafka: new Kafka({ brokers, logLevel: logLevel.NOTHING, socketFactory: factory }) }
}

async function makeTopic(
  topic: string,
  numPartitions: number,
  config: Record<string, string> = {},
): Promise<void> {
  const admin = broker.raw.admin()
  await admin.connect()
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
  await admin.createTopics({ topics: [{ topic, numPartitions, configEntries }], waitForLeaders: true })
  await admin.disconnect()
}

interface Found {
  readonly partition: number
  readonly key: string | undefined
  readonly value: unknown
}

/** Reads a topic from its beginning by kafkajs. */
async function readAll(topic: string, count: number): Promise<readonly Found[]> {
  const consumer = broker.raw.consumer({ groupId: `${topic}-reader` })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const found: Found[] = []
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: async ({ partition, message: { key, value } }) => {
          found.push({
            partition,
            key: key === null ? undefined : String(key),
            value: JSON.parse(String(value)) as unknown,
          })
          if (found.length === count) resolve()
        },
      })
      .catch(reject)
  })
  await consumer.disconnect()
  return found
}

function codesOf(error: unknown): readonly string[] {
  if (!(error instanceof PartialPublishError)) throw error
  return error.outcomes.map((outcome) => (outcome === 'confirmed' ? outcome : outcome.code))
}

test('a message that is larger than its topic takes is refused alone, and the others of its batch are there', async () => {
  await makeTopic('small', 1, { 'max.message.bytes': '20000' })
  const transport = await open()
  const messages = Array.from({ length: 60 }, (_, n) => ({ data: `${n}`.padEnd(n === 33 ? 30_000 : 1_000) }))
  const error: unknown = await transport.sendMany('small', messages).catch((reason: unknown) => reason)
  expect(codesOf(error)).toEqual(messages.map((_, n) => (n === 33 ? 'POSTHORN_BODY_TOO_LARGE' : 'confirmed')))
  const found = await readAll('small', 59)
  expect(found.map(({ value }) => Number(value))).toEqual(messages.flatMap((_, n) => (n === 33 ? [] : [n])))
})

test('a compacted topic names the messages without a key: they are refused, and the others are there', async () => {
  await makeTopic('compacted', 1, { 'cleanup.policy': 'compact' })
  const transport = await open()
  const messages = Array.from({ length: 20 }, (_, n) =>
    n % 5 === 0 ? { data: n } : { data: n, key: `${n}` },
  )
  const error: unknown = await transport.sendMany('compacted', messages).catch((reason: unknown) => reason)
  expect(codesOf(error)).toEqual(
    messages.map((_, n) => (n % 5 === 0 ? 'POSTHORN_BROKER_ERROR' : 'confirmed')),
  )
  const refused = (error as PartialPublishError).outcomes[0]
  expect(isPosthornError(refused) && refused.message).toContain('key')
  const found = await readAll('compacted', 16)
  expect(found.map(({ value }) => value)).toEqual(
    messages.flatMap(({ data }) => (data % 5 === 0 ? [] : [data])),
  )
})

test('keys go to the partitions that a Java producer gives them', async () => {
  await makeTopic('keyed', 7)
  const transport = await open()
  const keys = ['customer-1', 'customer-2', 'customer-47', 'a', 'Grüße']
  // Its default partitioner is the one of Java.
  const producer = broker.raw.producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  for (const key of keys) {
    await transport.send('keyed', { data: 'ours', key })
    await producer.send({ topic: 'keyed', messages: [{ key, value: '"theirs"' }] })
  }
  await producer.disconnect()
  const found = await readAll('keyed', 2 * keys.length)
  const placesOf = (value: string): Readonly<Record<string, number>> =>
    Object.fromEntries(
      found.filter((one) => one.value === value).map(({ key, partition }) => [key, partition]),
    )
  expect(placesOf('ours')).toEqual(placesOf('theirs'))
})

test.each(['gzip', 'zstd'] as const)(
  'what is sent by %s is small on its way, and read',
  async (compression) => {
    const sockets = new KafkaSockets()
    let bytes = 0
    sockets.decide = (request) => {
      if (request.api === apis.produce) bytes += request.bytes.length
      return 'pass'
    }
    const transport = await open({ ...through(sockets), compression, topology: 'create' })
    const text = 'again and again '.repeat(20)
    await transport.sendMany(
      `packed-${compression}`,
      Array.from({ length: 100 }, (_, n) => ({ data: { n, text } })),
    )
    expect(bytes).toBeLessThan(10_000)
    const found = new Set<number>()
    await new Promise<void>((resolve, reject) => {
      transport
        .consume<{ n: number; text: string }>(`packed-${compression}`, ({ data }) => {
          if (data.text === text) found.add(data.n)
          if (found.size === 100) resolve()
        })
        .catch(reject)
    })
    expect(found.size).toBe(100)
  },
)

test('an answer that is lost leaves the message unknown, and it is in the log once', async () => {
  await makeTopic('lost', 1)
  const sockets = new KafkaSockets()
  let losing = 1
  sockets.decide = (request) => {
    if (request.api !== apis.produce || producedBatches(request).length === 0 || losing === 0) return 'pass'
    losing -= 1
    return 'unanswered'
  }
  const transport = await open(through(sockets))
  const lost: unknown = await transport
    .send('lost', { data: 'first' }, { timeoutMs: 1_500 })
    .catch((reason: unknown) => reason)
  expect(lost).toMatchObject({ outcome: 'unknown' })
  await transport.send('lost', { data: 'second' })
  const found = await readAll('lost', 2)
  expect(found.map(({ value }) => value)).toEqual(['first', 'second'])
})

test('partitions that are added while it sends are used, and nothing is lost', async () => {
  await makeTopic('growing', 1)
  const transport = await open()
  await transport.send('growing', { data: 0 })
  const admin = broker.raw.admin()
  await admin.connect()
  await admin.createPartitions({ topicPartitions: [{ topic: 'growing', count: 3 }] })
  await admin.disconnect()
  // Another transport looks at it now.
  const later = await open()
  for (let n = 1; n <= 6; n++) await later.send('growing', { data: n })
  await transport.send('growing', { data: 7 })
  const found = await readAll('growing', 8)
  expect(found.map(({ value }) => Number(value)).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  expect(new Set(found.map(({ partition }) => partition)).size).toBe(3)
})
