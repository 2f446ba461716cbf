import { missing, unsupported } from './errors.ts'
import { defaultDeadLetterQueue, nativeGroup, nativeName } from './native-names.ts'
import { openQueue, plainArguments, Queue } from './queue.ts'
import { Topic } from './topic.ts'
import { PosthornError } from '../errors.ts'
import type { BrokerParts } from './parts.ts'
import type { QueueArguments } from './queue.ts'
import type { PlanItem, QueueDeclaration, SubscriptionDeclaration, Topology } from '../contract/topology.ts'

/** One thing that is wanted, what it would take, and how to make it. */
interface Wanted extends PlanItem {
  make(): void
}

/**
 * Compares a topology with what there is. An argument that a declaration leaves out fits whatever is there, so that a
 * consumer need not know the bounds that somebody else declared; patterns left out are `#`.
 */
function compare(parts: BrokerParts, namespace: string, topology: Topology): Wanted[] {
  const wanted = new Map<string, Wanted>()
  const want = (item: Wanted): void => {
    const key = `${item.kind === 'topic' ? 'topic' : 'queue'} ${item.nativeName}`
    if (!wanted.has(key)) wanted.set(key, item)
  }
  for (const { name } of topology.topics ?? []) want(compareTopic(parts, namespace, name))
  const deadLetterQueues: Wanted[] = []
  for (const declaration of topology.queues ?? []) {
    want(compareQueue(parts, namespace, declaration))
    const { name, deadLetterQueue = defaultDeadLetterQueue(name) } = declaration
    deadLetterQueues.push(compareDeadLetterQueue(parts, namespace, 'queue', name, deadLetterQueue))
  }
  for (const declaration of topology.subscriptions ?? []) {
    const { topic, group } = declaration
    const name = `${topic}/${group}`
    const { deadLetterQueue = defaultDeadLetterQueue(name) } = declaration
    want(compareTopic(parts, namespace, topic))
    want(compareSubscription(parts, namespace, declaration))
    deadLetterQueues.push(compareDeadLetterQueue(parts, namespace, 'subscription', name, deadLetterQueue))
  }
  // One that is declared for itself, too, goes before.
  for (const item of deadLetterQueues) want(item)
  return [...wanted.values()]
}

export function plan(parts: BrokerParts, namespace: string, topology: Topology): readonly PlanItem[] {
  return compare(parts, namespace, topology).map(({ make: _, ...item }) => item)
}

/** Makes all that is missing, or nothing when something does not fit. */
export function declare(parts: BrokerParts, namespace: string, topology: Topology, mode: 'create' | 'check'): void {
  const wanted = compare(parts, namespace, topology)
  for (const item of wanted) {
    if (item.action === 'mismatch') throw mismatch(item)
    if (item.action === 'create' && mode === 'check') throw missing(`${item.kind} "${item.name}"`)
  }
  for (const item of wanted) if (item.action === 'create') item.make()
}

function compareTopic(parts: BrokerParts, namespace: string, name: string): Wanted {
  const native = nativeName(namespace, name)
  return {
    kind: 'topic',
    part: 'main',
    complete: true,
    name,
    nativeName: native,
    action: parts.topics.has(native) ? 'none' : 'create',
    differences: [],
    make: () => parts.topics.set(native, new Topic(native, parts)),
  }
}

function compareQueue(parts: BrokerParts, namespace: string, declaration: QueueDeclaration): Wanted {
  const { name, deduplicationWindowMs } = declaration
  if (deduplicationWindowMs !== undefined && !parts.settings.deduplication) {
    throw unsupported('deduplication', 'Make handlers idempotent by context.idempotencyKey.', 'declare')
  }
  const native = nativeName(namespace, name)
  const args: QueueArguments = { ...plainArguments, ...queueArguments(namespace, name, declaration), deduplicationWindowMs }
  return compareWith(parts.queues.get(native), declaration, args, {
    kind: 'queue',
    part: 'main',
    complete: true,
    name,
    nativeName: native,
    make: () => parts.queues.set(native, new Queue(native, args, parts)),
  })
}

function compareSubscription(parts: BrokerParts, namespace: string, declaration: SubscriptionDeclaration): Wanted {
  const { topic, group, patterns = ['#'], from } = declaration
  const name = `${topic}/${group}`
  const native = nativeGroup(namespace, topic, group)
  if (from !== undefined && parts.settings.history === false && !parts.queues.has(native)) {
    throw unsupported('groups that start in the past', 'Declare the group before what it must get is published.', 'declare')
  }
  const args: QueueArguments = { ...plainArguments, ...queueArguments(namespace, name, declaration), kind: 'group', patterns }
  return compareWith(parts.queues.get(native), { ...declaration, patterns }, args, {
    kind: 'subscription',
    part: 'main',
    complete: true,
    name,
    nativeName: native,
    make: () => parts.topics.get(nativeName(namespace, topic))?.subscribe(native, args, from),
  })
}

/** Of the source `name`, and nobody else's. */
function compareDeadLetterQueue(
  parts: BrokerParts,
  namespace: string,
  kind: 'queue' | 'subscription',
  name: string,
  deadLetterQueue: string,
): Wanted {
  const source = nativeName(namespace, name)
  const native = nativeName(namespace, deadLetterQueue)
  for (const other of parts.queues.values()) {
    if (other.name !== source && other.arguments.deadLetterQueue === native) throw sharedDeadLetterQueue(native, other.name)
  }
  return {
    kind,
    part: 'deadLetters',
    complete: true,
    name,
    nativeName: native,
    action: parts.queues.has(native) ? 'none' : 'create',
    differences: [],
    make: () => openQueue(parts, native),
  }
}

function queueArguments(
  namespace: string,
  name: string,
  declaration: QueueDeclaration | SubscriptionDeclaration,
): Pick<QueueArguments, 'deadLetterQueue' | 'maxMessages' | 'maxBytes'> {
  const { deadLetterQueue = defaultDeadLetterQueue(name), maxMessages, maxBytes } = declaration
  if (deadLetterQueue === name) {
    throw new PosthornError(
      'POSTHORN_INVALID_OPTION',
      `The dead-letter queue of "${name}" cannot be itself. Give another name, or leave it out for "${name}.dlq".`,
      { phase: 'declare' },
    )
  }
  return { deadLetterQueue: nativeName(namespace, deadLetterQueue), maxMessages, maxBytes }
}

const compared = ['deadLetterQueue', 'deduplicationWindowMs', 'maxMessages', 'maxBytes', 'patterns'] as const

function compareWith(
  queue: Queue | undefined,
  declaration: { readonly [Argument in (typeof compared)[number]]?: unknown },
  args: QueueArguments,
  item: Pick<Wanted, 'kind' | 'part' | 'complete' | 'name' | 'nativeName' | 'make'>,
): Wanted {
  if (queue === undefined) return { ...item, action: 'create', differences: [] }
  const differences: PlanItem['differences'][number][] = []
  for (const argument of compared) {
    if (declaration[argument] === undefined) continue
    const wanted = args[argument]
    const found = queue.arguments[argument]
    if (!isSame(wanted, found)) differences.push({ argument, wanted, found })
  }
  return { ...item, action: differences.length === 0 ? 'none' : 'mismatch', differences }
}

/** Patterns are the same in any order. */
function isSame(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b
  return JSON.stringify([...new Set(a)].toSorted()) === JSON.stringify([...new Set(b)].toSorted())
}

function mismatch(item: PlanItem): PosthornError {
  const shown = item.differences.map(
    ({ argument, wanted, found }) => `${argument} is ${JSON.stringify(found) ?? 'not set'} and not ${JSON.stringify(wanted)}`,
  )
  return new PosthornError(
    'POSTHORN_TOPOLOGY_MISMATCH',
    `The ${item.kind} "${item.name}" exists with other arguments: ${shown.join(', ')}. Declare it as it is, or under another name.`,
    { phase: 'declare' },
  )
}

function sharedDeadLetterQueue(name: string, source: string): PosthornError {
  return new PosthornError(
    'POSTHORN_TOPOLOGY_MISMATCH',
    `"${name}" is the dead-letter queue of "${source}" already, so replays would not know where to go. Give each source its own.`,
    { phase: 'declare' },
  )
}
