import { sourceName, type Source } from '@posthorn/transport/driver'
import { unsupported } from './errors.ts'
import { nativeName, nativeSource } from './names.ts'
import type { ConsumerTarget } from './consumer-parts.ts'
import type { Questions } from './questions.ts'

/** Messages that an ephemeral subscription or an inbox holds at most; the oldest are dropped. */
const maxEphemeralMessages = 10_000

/** The queues of a source that outlives its consumers. Throws `POSTHORN_UNSUPPORTED` for one that does not. */
export function durableQueues(
  namespace: string,
  source: Source,
): { readonly queue: string; readonly deadLetterQueue: string } {
  if (source.kind === 'queue' || source.kind === 'subscription') {
    return {
      queue: nativeSource(namespace, source),
      deadLetterQueue: nativeName(namespace, source.deadLetterQueue),
    }
  }
  throw unsupported(
    `dead letters or a depth of "${sourceName(source)}"`,
    'it is at most once; subscribe with a group',
  )
}

/** What is to be read, made where it is only for its reader. Rejects with what amqplib says. */
export async function openTarget(
  namespace: string,
  source: Source,
  questions: Questions,
  createId: () => string,
): Promise<ConsumerTarget> {
  const name = sourceName(source)
  if (source.kind === 'queue')
    return { name, ...durableQueues(namespace, source), ...shared, topic: undefined, patterns: [] }
  if (source.kind === 'subscription') {
    const { topic, patterns } = source
    return {
      name,
      ...durableQueues(namespace, source),
      ...shared,
      topic: nativeName(namespace, topic),
      patterns,
    }
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
  return { name, queue, deadLetterQueue: '', atMostOnce: true, topic: undefined, patterns: [] }
}

const shared = { atMostOnce: false } as const
