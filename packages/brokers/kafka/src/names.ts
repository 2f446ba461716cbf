import { PosthornError } from '@posthorn/transport/driver'
import type { Source } from '@posthorn/transport/driver'

// Topics of Kafka have no character that logical names have not. So dots are the separators: three after a namespace, two
// between parts; a name that has two of them in a row, or one at an end, is refused.

/** A queue or topic on the broker: `orders`, or `<namespace>...orders`; `events/billing.dlq` is `events..billing.dlq`. */
export function nativeName(namespace: string, name: string): string {
  const parts = name.split('/')
  for (const part of [...parts, namespace]) checkPart(part)
  const own = parts.join('..')
  return namespace === '' ? own : `${namespace}...${own}`
}

/** Where the delayed redelivery of a source waits: `orders..retry`, `events..billing..retry`. */
export function retryTopic(sourceNative: string): string {
  return `${sourceNative}..retry`
}

/** Where what is published to a topic with a delay waits. */
export function delayedTopic(topicNative: string): string {
  return `${topicNative}..delayed`
}

export type DurableSource = Extract<Source, { readonly deadLetterQueue: string }>

/** A source on the broker. */
export interface SourceNames {
  /** Its topic. */
  readonly topic: string
  /** Its consumer group: `orders`, `events/billing`. */
  readonly group: string
  readonly retry: string
  /** Of a group. */
  readonly delayed: string | undefined
  readonly deadLetters: string
}

export function sourceNames(namespace: string, source: DurableSource): SourceNames {
  const deadLetters = nativeName(namespace, source.deadLetterQueue)
  if (source.kind === 'queue') {
    const topic = nativeName(namespace, source.name)
    return { topic, group: topic, retry: retryTopic(topic), delayed: undefined, deadLetters }
  }
  const topic = nativeName(namespace, source.topic)
  const own = nativeName(namespace, `${source.topic}/${source.group}`)
  return {
    topic,
    group: `${topic}/${source.group}`,
    retry: retryTopic(own),
    delayed: delayedTopic(topic),
    deadLetters,
  }
}

/** Throws where a name, or a namespace, could be taken for two. */
export function checkPart(part: string): void {
  if (!part.includes('..') && !part.startsWith('.') && !part.endsWith('.')) return
  const text = `"${part}" cannot be a name on Kafka: it has a dot at an end, or two in a row. Use single dots, inside.`
  throw new PosthornError('POSTHORN_INVALID_NAME', text, { phase: 'options' })
}
