import { sourceName, type Source } from '@posthorn/transport/driver'
import { unsupported } from './errors.ts'
import { nativeName, nativeSource } from './names.ts'
import { shardQueue } from './shards.ts'
import type { ConsumerTarget } from './consumer-parts.ts'
import type { Questions } from './questions.ts'

/** Messages that an ephemeral subscription or an inbox holds at most; the oldest are dropped. */
const maxEphemeralMessages = 10_000

/** The queues of a source that outlives its consumers. Throws `POSTHORN_UNSUPPORTED` for one that does not. */
export function durableQueues(
  namespace: string,
  source: Source,
): { readonly queue: string; readonly shards: number; readonly deadLetterQueue: string } {
  if (source.kind === 'queue' || source.kind === 'subscription') {
    return {
      queue: nativeSource(namespace, source),
      shards: source.shards,
      deadLetterQueue: nativeName(namespace, source.deadLetterQueue),
    }
  }
  throw unsupported(
    `dead letters or a depth of "${sourceName(source)}"`,
    'it is at most once; subscribe with a group',
  )
}

/**
 * What is to be read, one for each shard, made where it is only for its reader. `wishes`: how much this instance wants each
 * shard. Rejects with what amqplib says.
 */
export async function openTargets(
  namespace: string,
  source: Source,
  questions: Questions,
  createId: () => string,
  wishes: readonly number[],
): Promise<readonly ConsumerTarget[]> {
  const name = sourceName(source)
  if (source.kind === 'queue' || source.kind === 'subscription') {
    const { queue, deadLetterQueue } = durableQueues(namespace, source)
    const routing =
      source.kind === 'queue'
        ? { topic: undefined, patterns: [] }
        : { topic: nativeName(namespace, source.topic), patterns: source.patterns }
    const common = { name, deadLetterQueue, atMostOnce: false, ...routing }
    return wishes.map((rank, shard) => ({ ...common, queue: shardQueue(queue, shard), rank }))
  }
  const queue =
    source.kind === 'inbox'
      ? nativeName(namespace, source.name)
      : `${nativeName(namespace, source.topic)}/~${createId()}`
  await questions.ask(async (channel) => {
    const limits = { 'x-max-length': maxEphemeralMessages }
    // Not deleted with its last consumer: changing a window takes another one.
    await channel.assertQueue(queue, { exclusive: true, durable: false, arguments: limits })
    if (source.kind === 'inbox') return
    const exchange = nativeName(namespace, source.topic)
    for (const pattern of source.patterns) await channel.bindQueue(queue, exchange, pattern)
  })
  return [{ name, queue, deadLetterQueue: '', rank: 0, atMostOnce: true, topic: undefined, patterns: [] }]
}
