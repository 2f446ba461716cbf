import type { RabbitmqConsumer } from './consumer.ts'
import type { Clock } from '@posthorn/transport/driver'

/** How often the server is asked whether it knows of the consumers. Milliseconds. */
const intervalMs = 10_000

export interface ConsumerWatchOptions {
  readonly clock: Clock
  readonly consumers: ReadonlySet<RabbitmqConsumer>
  /** How many consumers the server has for a queue; rejects when it does not say. */
  readonly consumerCount: (queue: string) => Promise<number>
}

/**
 * Ends consumers that the server has forgotten. It does not tell them when a queue is deleted and at once made again by
 * somebody else. Answers how to stop.
 */
export function watchConsumers(options: ConsumerWatchOptions): () => void {
  const { clock } = options
  let cancel = clock.setTimer(look, intervalMs)
  let isStopped = false

  function look(): void {
    void lookOnce(options).then(() => {
      if (!isStopped) cancel = clock.setTimer(look, intervalMs)
    })
  }

  return () => {
    isStopped = true
    cancel()
  }
}

async function lookOnce({ consumers, consumerCount }: ConsumerWatchOptions): Promise<void> {
  for (const consumer of [...consumers]) {
    if (!consumer.isReading) continue
    const count = await consumerCount(consumer.queue).catch(() => undefined)
    if (count === 0 && consumer.isReading) consumer.deleted()
  }
}
