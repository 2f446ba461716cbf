import { stepCount } from './delay-steps.ts'
import { topologyMismatch } from './errors.ts'
import { delayedTopic, nativeName, sourceNames, type SourceNames } from './names.ts'
import type { KafkaSettings } from './options.ts'
import type { PlanItem, Topology } from '@posthorn/transport/driver'

type Subject = Pick<PlanItem, 'kind' | 'part' | 'name' | 'nativeName'>

export interface WantedTopic {
  readonly subject: Subject
  /** How many there are to be; of a retry topic those of its steps, and one for each partition of the topic `follows`. */
  readonly partitions: number
  readonly follows: string | undefined
  /** Whether the user decided how many partitions there are; what exists may have others otherwise. */
  readonly isCountAsked: boolean
  readonly replicas: number | undefined
  readonly config: Readonly<Record<string, string>>
  /** Of the configuration, what the user decided. */
  readonly asked: ReadonlySet<string>
}

export interface WantedGroup {
  readonly subject: Subject
  readonly names: SourceNames
  readonly from: 'start' | 'end' | number
}

export interface WantedObjects {
  /** What is read, before what belongs to it. */
  readonly topics: readonly WantedTopic[]
  readonly groups: readonly WantedGroup[]
}

/**
 * By what a topic is known that was made here for one source alone, so that what is worked off may be deleted: a bound that
 * nobody sets, and that bounds nothing.
 */
export const queueMark = { name: 'retention.bytes', value: '9223372036854775807' } as const

/** Nothing of a queue goes because it is old. */
const keepsAll = { 'cleanup.policy': 'delete', 'retention.ms': '-1', [queueMark.name]: queueMark.value }
const keepsLast = { 'cleanup.policy': 'compact' }

interface NativeArguments {
  readonly partitions?: number
  readonly replicas?: number
  readonly config?: Readonly<Record<string, string>>
}

/** What a topology is on Kafka. */
export function wantedObjects(
  namespace: string,
  topology: Topology,
  settings: Pick<KafkaSettings, 'partitions' | 'replicas' | 'maxBodyBytes'>,
): WantedObjects {
  const topics = new Map<string, WantedTopic>()
  const groups: WantedGroup[] = []
  // A copy has more to say than its original, which may be as large as brokers take, or a batch of others that is.
  const roomy = { 'max.message.bytes': `${Math.max(2 * 1024 * 1024, 2 * settings.maxBodyBytes)}` }

  /** Answers how many partitions it has, as far as is known here. */
  function main(
    subject: Subject,
    config: Readonly<Record<string, string>>,
    {
      shards,
      native = {},
    }: { readonly shards?: number; readonly native?: Readonly<Record<string, unknown>> },
  ): number {
    const given = native as NativeArguments
    const known = topics.get(subject.nativeName)
    checkKind(subject, known)
    const isSide = subject.nativeName.endsWith('.dlq')
    const asked = given.partitions ?? shards
    const partitions = asked ?? (isSide ? 1 : (known?.partitions ?? settings.partitions))
    topics.set(subject.nativeName, {
      subject,
      partitions,
      follows: undefined,
      isCountAsked: given.partitions !== undefined,
      replicas: given.replicas ?? settings.replicas,
      config: { ...(isSide ? { ...keepsLast, ...roomy } : config), ...given.config },
      asked: new Set(Object.keys(given.config ?? {})),
    })
    return partitions
  }

  function side(
    subject: Subject,
    partitions: number,
    config: Readonly<Record<string, string>>,
    follows?: string,
  ): void {
    if (topics.has(subject.nativeName)) return
    const { replicas } = settings
    topics.set(subject.nativeName, {
      subject,
      partitions,
      follows,
      isCountAsked: false,
      replicas,
      config,
      asked: new Set(),
    })
  }

  for (const { name, native } of topology.topics ?? []) {
    const subject = { kind: 'topic', part: 'main', name, nativeName: nativeName(namespace, name) } as const
    main(subject, {}, native === undefined ? {} : { native })
  }
  for (const declaration of topology.queues ?? []) {
    const { name, deadLetterQueue = `${name}.dlq`, shards = 1 } = declaration
    const names = sourceNames(namespace, { kind: 'queue', name, deadLetterQueue, shards })
    const subject = { kind: 'queue', part: 'main', name, nativeName: names.topic } as const
    const partitions = main(subject, keepsAll, declaration)
    side(
      { ...subject, part: 'retry', nativeName: names.retry },
      stepCount + partitions,
      { ...keepsAll, ...roomy },
      names.topic,
    )
    side({ ...subject, part: 'deadLetters', nativeName: names.deadLetters }, 1, { ...keepsLast, ...roomy })
    groups.push({ subject: { ...subject, part: 'group', nativeName: names.group }, names, from: 'start' })
  }
  for (const declaration of topology.subscriptions ?? []) {
    const { topic, group, patterns = ['#'], shards = 1, from } = declaration
    const { deadLetterQueue = `${topic}/${group}.dlq` } = declaration
    const source = { kind: 'subscription', topic, group, patterns, deadLetterQueue, shards } as const
    const names = sourceNames(namespace, source)
    const subject = { kind: 'subscription', name: `${topic}/${group}` } as const
    const own = { kind: 'topic', part: 'main', name: topic, nativeName: names.topic } as const
    const known = topics.get(names.topic)
    checkKind(own, known)
    let partitions = known?.partitions
    if (partitions === undefined) {
      partitions = main(own, {}, declaration.shards === undefined ? {} : { shards })
    }
    side(
      { ...subject, part: 'retry', nativeName: names.retry },
      stepCount + partitions,
      { ...keepsAll, ...roomy },
      names.topic,
    )
    side({ ...subject, part: 'deadLetters', nativeName: names.deadLetters }, 1, { ...keepsLast, ...roomy })
    groups.push({
      subject: { ...subject, part: 'group', nativeName: names.group },
      names,
      from: from === undefined ? 'end' : from === 'earliest' ? 'start' : from.getTime(),
    })
  }
  for (const { subject } of [...topics.values()]) {
    if (subject.kind !== 'topic') continue
    side({ ...subject, part: 'retry', nativeName: delayedTopic(subject.nativeName) }, stepCount, roomy)
  }
  return { topics: [...topics.values()], groups }
}

/** A queue and a topic of one name would be one topic of Kafka's, and get each other's messages. */
function checkKind({ kind, name }: Subject, known: WantedTopic | undefined): void {
  if (known === undefined || known.subject.kind === kind) return
  throw topologyMismatch(`The ${kind} "${name}"`, 'kind', kind, known.subject.kind)
}

/** The topic of an inbox. What nobody has read after an hour nobody waits for. */
export function wantedInbox(
  namespace: string,
  name: string,
  { replicas }: Pick<KafkaSettings, 'replicas'>,
): WantedTopic {
  return {
    subject: { kind: 'queue', part: 'main', name, nativeName: nativeName(namespace, name) },
    partitions: 1,
    follows: undefined,
    isCountAsked: false,
    replicas,
    config: { 'cleanup.policy': 'delete', 'retention.ms': '3600000' },
    asked: new Set(),
  }
}
