import { unsupported } from './errors.ts'
import { defaultDeadLetterQueue, nativeGroup, nativeName } from './native-names.ts'
import { openQueue, plainArguments, Queue } from './queue.ts'
import { Topic } from './topic.ts'
import { PosthornError } from '../errors.ts'
import type { BrokerParts } from './parts.ts'
import type { QueueArguments } from './queue.ts'
import type { PlanItem, QueueDeclaration, SubscriptionDeclaration, Topology } from '../contract/topology.ts'

/** One thing that is wanted, and how to make it. */
export interface Wanted {
  readonly item: PlanItem
  readonly make: () => void
}

/**
 * Compares a topology with what there is. An argument that a declaration leaves out fits whatever is there, so that a
 * consumer need not know the bounds that somebody else declared; patterns left out are `#`.
 */
export function compareTopology(
  parts: BrokerParts,
  namespace: string,
  topology: Topology,
): readonly Wanted[] {
  const comparison = new Comparison(parts, namespace)
  for (const { name } of topology.topics ?? []) comparison.topic(name)
  for (const declaration of topology.queues ?? []) comparison.queue(declaration)
  for (const declaration of topology.subscriptions ?? []) comparison.subscription(declaration)
  return comparison.wanted()
}

const comparedArguments = [
  'deadLetterQueue',
  'deduplicationWindowMs',
  'maxMessages',
  'maxBytes',
  'patterns',
] as const

class Comparison {
  private readonly parts: BrokerParts
  private readonly namespace: string
  private readonly topics = new Map<string, Wanted>()
  private readonly queues = new Map<string, Wanted>()
  private readonly deadLetterQueues = new Map<string, Wanted>()
  /** Dead-letter queues, and whose they are. */
  private readonly owners = new Map<string, string>()

  constructor(parts: BrokerParts, namespace: string) {
    this.parts = parts
    this.namespace = namespace
    for (const queue of parts.queues.values()) {
      const { deadLetterQueue } = queue.arguments
      if (deadLetterQueue !== undefined) this.owners.set(deadLetterQueue, queue.name)
    }
  }

  /** In the order in which to make it. A dead-letter queue that is declared for itself, too, is made so. */
  wanted(): readonly Wanted[] {
    return [...this.topics.values(), ...new Map([...this.deadLetterQueues, ...this.queues]).values()]
  }

  topic(name: string): void {
    const { topics } = this.parts
    const native = nativeName(this.namespace, name)
    const action = topics.has(native) ? 'none' : 'create'
    this.topics.set(native, {
      item: {
        kind: 'topic',
        part: 'main',
        name,
        nativeName: native,
        action,
        complete: true,
        differences: [],
      },
      make: () => topics.set(native, new Topic(native, this.parts)),
    })
  }

  queue(declaration: QueueDeclaration): void {
    const { name, deduplicationWindowMs } = declaration
    if (deduplicationWindowMs !== undefined && !this.parts.settings.deduplication) {
      throw unsupported('deduplication', 'Make handlers idempotent by context.idempotencyKey.', 'declare')
    }
    const native = nativeName(this.namespace, name)
    const args = { ...this.arguments('queue', name, declaration), deduplicationWindowMs }
    this.add('queue', name, native, args, declaration, () => {
      this.parts.queues.set(native, new Queue(native, args, this.parts))
    })
  }

  subscription(declaration: SubscriptionDeclaration): void {
    const { topic, group, patterns = ['#'], from } = declaration
    const { parts, namespace } = this
    const native = nativeGroup(namespace, topic, group)
    if (from !== undefined && parts.settings.history === false && !parts.queues.has(native)) {
      const alternative = 'Declare the group before what it must get is published.'
      throw unsupported('groups that start in the past', alternative, 'declare')
    }
    if (!this.topics.has(nativeName(namespace, topic))) this.topic(topic)
    const name = `${topic}/${group}`
    const args: QueueArguments = {
      ...this.arguments('subscription', name, declaration),
      kind: 'group',
      patterns,
    }
    this.add('subscription', name, native, args, { ...declaration, patterns }, () => {
      parts.topics.get(nativeName(namespace, topic))?.subscribe(native, args, from)
    })
  }

  private add(
    kind: 'queue' | 'subscription',
    name: string,
    native: string,
    wanted: QueueArguments,
    declaration: { readonly [Argument in (typeof comparedArguments)[number]]?: unknown },
    make: () => void,
  ): void {
    const found = this.parts.queues.get(native)?.arguments
    const differences = comparedArguments.flatMap((argument) => {
      if (found === undefined || declaration[argument] === undefined) return []
      if (isSame(wanted[argument], found[argument])) return []
      return [{ argument, wanted: wanted[argument], found: found[argument] }]
    })
    const action = found === undefined ? 'create' : differences.length === 0 ? 'none' : 'mismatch'
    this.queues.set(native, {
      item: { kind, part: 'main', name, nativeName: native, action, complete: true, differences },
      make,
    })
  }

  private arguments(
    kind: 'queue' | 'subscription',
    name: string,
    { deadLetterQueue, maxMessages, maxBytes }: QueueDeclaration | SubscriptionDeclaration,
  ): QueueArguments {
    const { parts, namespace } = this
    const native = nativeName(namespace, name)
    const letters =
      deadLetterQueue === undefined
        ? (parts.queues.get(native)?.arguments.deadLetterQueue ?? defaultDeadLetterQueue(native))
        : nativeName(namespace, deadLetterQueue)
    if (letters === native) throw ownDeadLetterQueue(name)
    const owner = this.owners.get(letters)
    if (owner !== undefined && owner !== native) throw sharedDeadLetterQueue(letters, owner)
    this.owners.set(letters, native)
    const action = parts.queues.has(letters) ? 'none' : 'create'
    this.deadLetterQueues.set(letters, {
      item: { kind, part: 'deadLetters', name, nativeName: letters, action, complete: true, differences: [] },
      make: () => openQueue(parts, letters),
    })
    return { ...plainArguments, deadLetterQueue: letters, maxMessages, maxBytes }
  }
}

/** Patterns are the same in any order. */
function isSame(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b
  const wanted = new Set<unknown>(a)
  return wanted.size === new Set<unknown>(b).size && b.every((item) => wanted.has(item))
}

function ownDeadLetterQueue(name: string): PosthornError {
  return new PosthornError(
    'POSTHORN_INVALID_OPTION',
    `The dead-letter queue of "${name}" cannot be itself. Give another name, or leave it out for "${name}.dlq".`,
    { phase: 'declare' },
  )
}

function sharedDeadLetterQueue(name: string, source: string): PosthornError {
  return new PosthornError(
    'POSTHORN_TOPOLOGY_MISMATCH',
    `deadLetterQueue: "${name}" is that of "${source}" already, so replays would not know where to go. Give each source its own.`,
    { phase: 'declare' },
  )
}
