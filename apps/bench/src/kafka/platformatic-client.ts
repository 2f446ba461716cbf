import { setTimeout as delay } from 'node:timers/promises'
import {
  Consumer,
  jsonDeserializer,
  Producer,
  stringDeserializer,
  stringSerializers,
  type MessagesStream,
} from '@platformatic/kafka'
import { exchangeEach } from '../contest/exchange-each.ts'
import { handlerMs, type BenchClient } from './bench-client.ts'
import { countDown } from './count-down.ts'
import { inBatches, rawMessage, type RawMessage } from './raw-message.ts'

type Reader = Consumer<string, Record<string, unknown>, string, string>
type Stream = MessagesStream<string, Record<string, unknown>, string, string>

/** `@platformatic/kafka` with its own settings, but for acks of all replicas. Its stream decodes JSON itself. */
export async function openPlatformatic(brokers: readonly string[]): Promise<BenchClient> {
  const base = { clientId: 'bench', bootstrapBrokers: [...brokers] }
  const producer = new Producer({
    ...base,
    serializers: stringSerializers,
    acks: -1,
    autocreateTopics: false,
  })
  let consumer: Reader | undefined
  let stream: Stream | undefined
  const send = (topic: string, batch: readonly RawMessage[]): Promise<unknown> =>
    producer.send({
      messages: batch.map(({ key, ...message }) => ({
        topic,
        ...message,
        ...(key === undefined ? {} : { key }),
      })),
    })
  const read = async (topic: string): Promise<Stream> => {
    const reader: Reader = new Consumer({
      ...base,
      groupId: topic,
      deserializers: {
        key: stringDeserializer,
        value: jsonDeserializer,
        headerKey: stringDeserializer,
        headerValue: stringDeserializer,
      },
    })
    consumer = reader
    stream = await reader.consume({ topics: [topic], mode: 'earliest', autocommit: true })
    return stream
  }
  return {
    declare: () => Promise.resolve(),
    publish: (topic, messages, keys) => inBatches(topic, messages, keys, (batch) => send(topic, batch)),
    async consume(topic, messages, begins) {
      const { handled, done, failed } = countDown(messages, begins)
      ;(await read(topic)).on('data', () => handled()).on('error', failed)
      await done
    },
    async handle(topic, messages, begins) {
      const { handled } = countDown(messages, begins)
      let left = messages
      for await (const _message of await read(topic)) {
        await delay(handlerMs)
        handled()
        left--
        if (left === 0) return
      }
    },
    async exchange(topic, messages) {
      const reading = await read(topic)
      return exchangeEach(
        messages,
        (arrived) => reading.on('data', arrived).on('error', () => {}),
        () => send(topic, [rawMessage(topic, undefined)]),
      )
    },
    async close() {
      await stream?.close()
      await consumer?.close()
      await producer.close()
    },
  }
}
