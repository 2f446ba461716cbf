import { setTimeout as delay } from 'node:timers/promises'
import { Kafka, logLevel, Partitioners, type Consumer, type EachMessagePayload } from 'kafkajs'
import { exchangeEach } from '../contest/exchange-each.ts'
import { handlerMs, type BenchClient } from './bench-client.ts'
import { countDown } from './count-down.ts'
import { inBatches, rawMessage } from './raw-message.ts'

/** kafkajs with its own settings, and its consumer by message or by batch. */
export async function openKafkajs(brokers: readonly string[], byBatch: boolean): Promise<BenchClient> {
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING })
  const producer = kafka.producer({
    allowAutoTopicCreation: false,
    createPartitioner: Partitioners.DefaultPartitioner,
  })
  await producer.connect()
  let consumer: Consumer | undefined
  const subscribe = async (topic: string): Promise<Consumer> => {
    consumer = kafka.consumer({ groupId: topic })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    return consumer
  }
  const each = async (
    topic: string,
    handler: (payload: EachMessagePayload) => Promise<void>,
  ): Promise<void> => (await subscribe(topic)).run({ eachMessage: handler })
  const client: BenchClient = {
    declare: () => Promise.resolve(),
    publish: (topic, messages, keys) =>
      inBatches(topic, messages, keys, (batch) =>
        producer.send({
          topic,
          messages: batch.map(({ key, ...message }) => (key === undefined ? message : { key, ...message })),
        }),
      ),
    async consume(topic, messages, begins) {
      const { handled, done } = countDown(messages, begins)
      if (byBatch) {
        await (
          await subscribe(topic)
        ).run({
          eachBatch: async ({ batch }) => {
            handled(0)
            for (const { value } of batch.messages) JSON.parse(String(value))
            handled(batch.messages.length)
          },
        })
      } else {
        await each(topic, async ({ message }) => {
          JSON.parse(String(message.value))
          handled()
        })
      }
      await done
    },
    async handle(topic, messages, begins) {
      const { handled, done } = countDown(messages, begins)
      await each(topic, async ({ message }) => {
        JSON.parse(String(message.value))
        await delay(handlerMs)
        handled()
      })
      await done
    },
    async exchange(topic, messages) {
      let arrived = (): void => {}
      await each(topic, async ({ message }) => {
        JSON.parse(String(message.value))
        arrived()
      })
      return exchangeEach(
        messages,
        (callback) => {
          arrived = callback
        },
        () => {
          const { value, headers } = rawMessage(topic, undefined)
          return producer.send({ topic, messages: [{ value, headers }] })
        },
      )
    },
    async close() {
      await consumer?.disconnect()
      await producer.disconnect()
    },
  }
  return client
}
