import { connect } from 'amqplib'
import { body, inFlight, prefetch, type BenchClient } from './bench-client.ts'
import { exchangeEach } from '../contest/exchange-each.ts'
import { inWindow } from '../contest/in-window.ts'

/** amqplib as one who knows it well would use it: a connection for each direction, no delay, callbacks, no promises. */
export async function openRaw(url: string, ackEvery: number): Promise<BenchClient> {
  const publishing = await connect(url, { noDelay: true })
  const consuming = await connect(url, { noDelay: true })
  const publisher = await publishing.createConfirmChannel()
  const consumer = await consuming.createChannel()
  await consumer.prefetch(prefetch)
  const assert = (queue: string): Promise<unknown> =>
    publisher.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } })
  return {
    async publish(queue, messages) {
      await assert(queue)
      await inWindow(messages, inFlight, (done) => {
        publisher.sendToQueue(queue, body, { persistent: true }, done)
      })
    },
    consume: (queue, messages) =>
      new Promise((resolve, reject) => {
        let handled = 0
        const consumed = consumer.consume(queue, (message) => {
          if (message === null) return
          handled++
          if (handled % ackEvery === 0 || handled === messages) consumer.ack(message, ackEvery > 1)
          if (handled === messages) resolve()
        })
        consumed.catch(reject)
      }),
    async exchange(queue, messages) {
      await assert(queue)
      let arrived = (): void => {}
      await consumer.consume(queue, (message) => {
        if (message === null) return
        consumer.ack(message)
        arrived()
      })
      return exchangeEach(
        messages,
        (callback) => {
          arrived = callback
        },
        () =>
          new Promise<void>((resolve, reject) => {
            publisher.sendToQueue(queue, body, { persistent: true }, (error: unknown) =>
              error === null ? resolve() : reject(error as Error),
            )
          }),
      )
    },
    async close() {
      await Promise.all([publishing.close(), consuming.close()])
    },
  }
}
