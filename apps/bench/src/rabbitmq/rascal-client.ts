import rascal from 'rascal'
import { body, inFlight, prefetch, type BenchClient } from './bench-client.ts'
import { exchangeEach } from '../contest/exchange-each.ts'
import { inWindow } from '../contest/in-window.ts'

/** rascal with its own settings, but for confirms, no delay, the kind of the queue and the prefetch, which are everyone's. */
export async function openRascal(url: string, queue: string): Promise<BenchClient> {
  const broker = await rascal.BrokerAsPromised.create({
    vhosts: {
      '/': {
        connection: { url, socketOptions: { noDelay: true } },
        queues: { [queue]: { options: { durable: true, arguments: { 'x-queue-type': 'quorum' } } } },
        publications: { out: { queue, confirm: true } },
        subscriptions: { in: { queue, prefetch } },
      },
    },
  })
  broker.on('error', () => {})
  const publish = (done: (error?: unknown) => void): void => {
    broker
      .publish('out', body)
      .then((publication) =>
        publication.on('success', () => done()).on('error', (error) => done(error ?? 'nothing')),
      )
      .catch(done)
  }
  return {
    publish: (_, messages) => inWindow(messages, inFlight, publish),
    async consume(_, messages) {
      let handled = 0
      const subscription = await broker.subscribe('in')
      await new Promise<void>((resolve, reject) => {
        subscription.on('error', reject)
        subscription.on('message', (_message, _content, ack) => {
          ack()
          handled++
          if (handled === messages) resolve()
        })
      })
    },
    async exchange(_, messages) {
      const subscription = await broker.subscribe('in')
      return exchangeEach(
        messages,
        (arrived) =>
          subscription
            .on('error', () => {})
            .on('message', (_message, _content, ack) => {
              ack()
              arrived()
            }),
        () => new Promise<void>((resolve) => publish(() => resolve())),
      )
    },
    async close() {
      await broker.shutdown()
    },
  }
}
