import type { QueueReader } from './queue-reader.ts'
import type { Clock } from '@posthorn/transport/driver'

/** How often the server is asked whether it knows of the consumers. Milliseconds. */
const intervalMs = 10_000

export interface ConsumerWatchOptions {
  readonly clock: Clock
  readonly readers: () => readonly QueueReader[]
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

async function lookOnce({ readers, consumerCount }: ConsumerWatchOptions): Promise<void> {
  for (const reader of readers()) {
    if (!reader.isReading) continue
    const count = await consumerCount(reader.queue).catch(() => undefined)
    if (count === 0 && reader.isReading) reader.deleted()
  }
}
