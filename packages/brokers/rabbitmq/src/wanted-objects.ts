import { heldQueue, nativeGroup, nativeName } from './names.ts'
import { askedArguments, sideQueueArguments, sourceArguments, type Arguments } from './queue-arguments.ts'
import type {
  PlanItem,
  QueueDeclaration,
  SubscriptionDeclaration,
  Topology,
} from '@posthorn/transport/driver'

type Subject = Pick<PlanItem, 'kind' | 'part' | 'name' | 'nativeName'>

export interface WantedExchange {
  readonly subject: Subject
}

export interface WantedQueue {
  readonly subject: Subject
  readonly arguments: Arguments
  /** Arguments that the user decided. */
  readonly asked: ReadonlySet<string>
  /** Whether messages come back to it from the ladder. */
  readonly isSource: boolean
  /** What routes to it. */
  readonly bindings: readonly { readonly exchange: string; readonly pattern: string }[]
}

export interface WantedObjects {
  readonly exchanges: readonly WantedExchange[]
  /** Main queues before what belongs to them. */
  readonly queues: readonly WantedQueue[]
}

const noneAsked: ReadonlySet<string> = new Set()
const deadLetterSuffix = '.dlq'

/** What a topology is on the broker. */
export function wantedObjects(
  namespace: string,
  topology: Topology,
  queueType: 'quorum' | 'classic',
): WantedObjects {
  const exchanges = new Map<string, WantedExchange>()
  const queues = new Map<string, WantedQueue>()

  function topic(name: string): string {
    const native = nativeName(namespace, name)
    exchanges.set(native, { subject: { kind: 'topic', part: 'main', name, nativeName: native } })
    return native
  }

  function source(
    declaration: QueueDeclaration | SubscriptionDeclaration,
    subject: Subject,
    bindings: WantedQueue['bindings'],
  ): void {
    const deadLetters = nativeName(namespace, declaration.deadLetterQueue ?? subject.name + deadLetterSuffix)
    const native = subject.nativeName
    // What holds dead letters may be read as any queue, and is the same whoever made it.
    const isSide = native.endsWith(deadLetterSuffix) && declaration.native === undefined
    const own = isSide ? sideArguments(declaration) : sourceArguments(declaration, deadLetters, queueType)
    queues.set(native, {
      subject,
      arguments: own,
      asked: askedArguments(declaration),
      isSource: true,
      bindings,
    })
    side({ ...subject, part: 'deadLetters', nativeName: deadLetters })
    if (declaration.order === 'key') side({ ...subject, part: 'retry', nativeName: heldQueue(native) })
  }

  function side(subject: Subject): void {
    if (queues.has(subject.nativeName)) return
    queues.set(subject.nativeName, {
      subject,
      arguments: sideQueueArguments,
      asked: noneAsked,
      isSource: false,
      bindings: [],
    })
  }

  for (const { name } of topology.topics ?? []) topic(name)
  for (const declaration of topology.queues ?? []) {
    const { name } = declaration
    source(declaration, { kind: 'queue', part: 'main', name, nativeName: nativeName(namespace, name) }, [])
  }
  for (const declaration of topology.subscriptions ?? []) {
    const { topic: topicName, group, patterns = ['#'] } = declaration
    const exchange = topic(topicName)
    const native = nativeGroup(namespace, topicName, group)
    const bindings = patterns.map((pattern) => ({ exchange, pattern }))
    source(
      declaration,
      { kind: 'subscription', part: 'group', name: `${topicName}/${group}`, nativeName: native },
      bindings,
    )
  }
  return { exchanges: [...exchanges.values()], queues: [...queues.values()] }
}

/** Without dead-lettering of its own. */
function sideArguments({
  maxMessages,
  maxBytes,
  order,
}: Pick<QueueDeclaration, 'maxMessages' | 'maxBytes' | 'order'>): Arguments {
  return {
    ...sideQueueArguments,
    ...(maxMessages === undefined ? {} : { 'x-max-length': maxMessages, 'x-overflow': 'reject-publish' }),
    ...(maxBytes === undefined ? {} : { 'x-max-length-bytes': maxBytes, 'x-overflow': 'reject-publish' }),
    ...(order === 'key' ? { 'x-single-active-consumer': true } : {}),
  }
}
