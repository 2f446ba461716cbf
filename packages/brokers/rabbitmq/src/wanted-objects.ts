import { unsupported } from './errors.ts'
import { heldQueue, nativeGroup, nativeName, restExchange, shardExchange } from './names.ts'
import { askedArguments, sideQueueArguments, sourceArguments, type Arguments } from './queue-arguments.ts'
import { shardQueues, slotCount, slotHeader, slotsOf } from './shards.ts'
import type {
  PlanItem,
  QueueDeclaration,
  SubscriptionDeclaration,
  Topology,
} from '@posthorn/transport/driver'

type Subject = Pick<PlanItem, 'kind' | 'part' | 'name' | 'nativeName'>

export interface WantedBinding {
  readonly exchange: string
  readonly pattern: string
  readonly arguments?: Readonly<Record<string, string>>
}

export interface WantedExchange {
  readonly subject: Subject
  readonly type: 'topic' | 'headers' | 'fanout'
  /** Takes what nothing of it matches. */
  readonly alternate?: string
  readonly bindings: readonly WantedBinding[]
}

export interface WantedQueue {
  readonly subject: Subject
  readonly arguments: Arguments
  /** Arguments that the user decided. */
  readonly asked: ReadonlySet<string>
  /** Whether messages come back to it from the ladder. */
  readonly isSource: boolean
  /** What routes to it. */
  readonly bindings: readonly WantedBinding[]
  /** What routed to it before its group had shards. */
  readonly formerBindings: readonly WantedBinding[]
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
    const subject = { kind: 'topic', part: 'main', name, nativeName: native } as const
    exchanges.set(native, { subject, type: 'topic', bindings: [] })
    return native
  }

  /** Makes what is between the topic and the shards of a group; answers what routes to each. */
  function sharded(
    subject: Subject,
    shards: number,
    bindings: readonly WantedBinding[],
  ): readonly (readonly WantedBinding[])[] {
    const [exchange, rest] = [shardExchange(subject.nativeName), restExchange(subject.nativeName)]
    exchanges.set(rest, { subject: { ...subject, nativeName: rest }, type: 'fanout', bindings: [] })
    const own = { ...subject, nativeName: exchange }
    exchanges.set(exchange, { subject: own, type: 'headers', alternate: rest, bindings })
    return Array.from({ length: shards }, (_, shard) => {
      if (shard === 0) return [{ exchange: rest, pattern: '' }]
      return slotsOf(shard, shards).map((slot) => ({
        exchange,
        pattern: '',
        arguments: { 'x-match': 'all', [slotHeader]: String(slot) },
      }))
    })
  }

  function source(
    declaration: QueueDeclaration | SubscriptionDeclaration,
    subject: Subject,
    bindings: readonly WantedBinding[],
  ): void {
    const shards = shardsOf(declaration)
    const deadLetters = nativeName(namespace, declaration.deadLetterQueue ?? subject.name + deadLetterSuffix)
    const native = subject.nativeName
    // What holds dead letters may be read as any queue, and is the same whoever made it.
    const isSide = native.endsWith(deadLetterSuffix) && declaration.native === undefined
    const share = shareOf(declaration, shards)
    const own = isSide ? sideArguments(share) : sourceArguments(share, deadLetters, queueType)
    // Also where there is one: whoever declares it may not know how many there are.
    const isSharded = (shards > 1 || declaration.order === 'key') && bindings.length > 0
    const routes = isSharded ? sharded(subject, shards, bindings) : [bindings]
    const names = shardQueues(native, shards)
    for (const [shard, queue] of names.entries()) {
      queues.set(queue, {
        subject: { ...subject, nativeName: queue },
        arguments: own,
        asked: askedArguments(declaration),
        isSource: true,
        bindings: routes[shard] ?? [],
        formerBindings: isSharded && shard === 0 ? bindings : [],
      })
    }
    side({ ...subject, part: 'deadLetters', nativeName: deadLetters })
    if (declaration.order !== 'key') return
    for (const queue of names) side({ ...subject, part: 'retry', nativeName: heldQueue(queue) })
  }

  function side(subject: Subject): void {
    if (queues.has(subject.nativeName)) return
    queues.set(subject.nativeName, {
      subject,
      arguments: sideQueueArguments,
      asked: noneAsked,
      isSource: false,
      bindings: [],
      formerBindings: [],
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

/** Throws where there are more than keys can be spread over. */
function shardsOf({ shards = 1 }: Pick<QueueDeclaration, 'shards'>): number {
  if (shards <= slotCount) return shards
  throw unsupported(`a source with ${shards} shards`, `at most ${slotCount} shards`)
}

/** What one shard may take of the bounds of all. */
function shareOf<Declaration extends Pick<QueueDeclaration, 'maxMessages' | 'maxBytes'>>(
  declaration: Declaration,
  shards: number,
): Declaration {
  const { maxMessages, maxBytes } = declaration
  return {
    ...declaration,
    ...(maxMessages === undefined ? {} : { maxMessages: Math.ceil(maxMessages / shards) }),
    ...(maxBytes === undefined ? {} : { maxBytes: Math.ceil(maxBytes / shards) }),
  }
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
