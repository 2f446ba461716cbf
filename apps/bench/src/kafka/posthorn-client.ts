import { setTimeout as delay } from 'node:timers/promises'
import { kafka, type KafkaOptions } from '@posthorn/kafka'
import { exchangeEach } from '../contest/exchange-each.ts'
import { inWindow } from '../contest/in-window.ts'
import { body } from '../flow.ts'
import { handlerMs, handlers, inFlight, keyOf, prefetch, type BenchClient } from './bench-client.ts'
import { countDown } from './count-down.ts'

export async function openPosthorn(options: KafkaOptions): Promise<BenchClient> {
  const transport = await kafka(options)
  return {
    declare: (queue) => transport.declare({ queues: [{ name: queue }] }),
    publish(queue, messages, keys) {
      let sent = 0
      return inWindow(messages, inFlight, (done) => {
        const key = keyOf(sent++, keys)
        const message = key === undefined ? { data: body } : { data: body, key }
        transport.send(queue, message).then(done, done)
      })
    },
    async consume(queue, messages, begins) {
      const { handled, done } = countDown(messages, begins)
      await transport.consume(queue, () => handled(), { concurrency: 100, prefetch })
      await done
    },
    async handle(queue, messages, begins) {
      const { handled, done } = countDown(messages, begins)
      await transport.consume(
        queue,
        async () => {
          await delay(handlerMs)
          handled()
        },
        { concurrency: handlers, prefetch, order: 'key' },
      )
      await done
    },
    async exchange(queue, messages) {
      let arrived = (): void => {}
      await transport.consume(queue, () => arrived(), { concurrency: 1 })
      return exchangeEach(
        messages,
        (callback) => {
          arrived = callback
        },
        () => transport.send(queue, { data: body }),
      )
    },
    async close() {
      await transport.close()
    },
  }
}
