import { rabbitmq } from '@posthorn/rabbitmq'
import { body, inFlight, prefetch, type BenchClient } from './bench-client.ts'
import { exchangeEach } from '../contest/exchange-each.ts'
import { inWindow } from '../contest/in-window.ts'

export async function openPosthorn(url: string): Promise<BenchClient> {
  const transport = await rabbitmq({ url })
  const message = { data: body }
  return {
    publish: (queue, messages) =>
      inWindow(messages, inFlight, (done) => {
        transport.send(queue, message).then(done, done)
      }),
    async consume(queue, messages) {
      let handled = 0
      let finish = (): void => {}
      const done = new Promise<void>((resolve) => {
        finish = resolve
      })
      await transport.consume(
        queue,
        () => {
          handled++
          if (handled === messages) finish()
        },
        { concurrency: 100, prefetch },
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
        () => transport.send(queue, message),
      )
    },
    async close() {
      await transport.close()
    },
  }
}
