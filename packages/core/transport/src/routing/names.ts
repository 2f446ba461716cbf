import { PosthornError } from '../errors.ts'
import { showValue } from '../options/show-value.ts'
import type { Source } from '../contract/driver.ts'
import type { SourceRef } from '../contract/transport.ts'

const namePattern = /^[A-Za-z0-9._-]{1,50}$/
const deadLetterSuffix = '.dlq'

/**
 * Throws `POSTHORN_INVALID_NAME` unless it is 1 to 50 of `[A-Za-z0-9._-]`. A queue's name may be followed by `.dlq`, so
 * that its dead letters can be read.
 */
export function checkName(name: unknown, what: 'queue' | 'topic' | 'group'): asserts name is string {
  if (typeof name === 'string') {
    if (namePattern.test(name)) return
    if (
      what === 'queue' &&
      name.endsWith(deadLetterSuffix) &&
      namePattern.test(name.slice(0, -deadLetterSuffix.length))
    ) {
      return
    }
  }
  throw new PosthornError(
    'POSTHORN_INVALID_NAME',
    `${showValue(name)} cannot be the name of a ${what}. Use 1 to 50 of these characters: A-Z a-z 0-9 . _ -`,
    { phase: 'options' },
  )
}

/** How a source is called in events, health and dead letters: a queue's name, or `<topic>/<group>`. */
export function sourceName(source: Source): string {
  switch (source.kind) {
    case 'queue':
    case 'inbox':
      return source.name
    case 'subscription':
      return `${source.topic}/${source.group}`
    case 'ephemeral':
      return `${source.topic}/(ephemeral)`
  }
}

/** The source that users name by `'orders'`, `'events/billing'`, `{ queue }` or `{ topic, group }`. */
export function parseSourceRef(ref: SourceRef): DurableSource {
  if (typeof ref === 'object' && ref !== null) {
    return 'queue' in ref ? queueSource(ref.queue, ref) : subscriptionSource(ref.topic, ref.group, [], ref)
  }
  const slash = typeof ref === 'string' ? ref.indexOf('/') : -1
  if (slash !== -1) return subscriptionSource(ref.slice(0, slash), ref.slice(slash + 1), [])
  return queueSource(ref)
}

export type DurableSource = Extract<Source, { readonly deadLetterQueue: string }>

/** What a declaration, if there is one, says about a source. */
export interface SourceDetails {
  readonly deadLetterQueue?: string
  readonly shards?: number
}

export function queueSource(name: unknown, details: SourceDetails = {}): DurableSource {
  checkName(name, 'queue')
  const { deadLetterQueue = name + deadLetterSuffix, shards = 1 } = details
  checkDeadLetterQueue(name, deadLetterQueue)
  return { kind: 'queue', name, deadLetterQueue, shards }
}

export function subscriptionSource(
  topic: unknown,
  group: unknown,
  patterns: readonly string[],
  details: SourceDetails = {},
): DurableSource {
  checkName(topic, 'topic')
  checkName(group, 'group')
  const { deadLetterQueue = `${topic}/${group}${deadLetterSuffix}`, shards = 1 } = details
  if (details.deadLetterQueue !== undefined) checkName(deadLetterQueue, 'queue')
  return { kind: 'subscription', topic, group, patterns, deadLetterQueue, shards }
}

function checkDeadLetterQueue(queue: string, deadLetterQueue: string): void {
  checkName(deadLetterQueue.replace(/(\.dlq)+$/, deadLetterSuffix), 'queue')
  if (deadLetterQueue !== queue) return
  throw new PosthornError(
    'POSTHORN_INVALID_OPTION',
    `"${queue}" is its own dead-letter queue, so a failing message would go round for ever. Name another one, or leave it out.`,
    { phase: 'options' },
  )
}

/** How addresses of inboxes begin; no queue's name can. */
export const inboxPrefix = 'inbox/'
