import { PosthornError } from '@posthorn/transport/driver'
import { declareQueue, exists, missing, same, type Comparison } from './compare-queue.ts'
import { toRabbitmqError } from './errors.ts'
import { readInequivalent } from './inequivalent-argument.ts'
import { wantedObjects, type WantedExchange, type WantedQueue } from './wanted-objects.ts'
import type { Ladder } from './ladder.ts'
import type { Questions } from './questions.ts'
import type { PlanItem, Topology } from '@posthorn/transport/driver'

/** Makes and compares what is on the broker. */
export class RabbitmqTopology {
  private readonly questions: Questions
  private readonly ladder: Ladder
  private readonly namespace: string
  private readonly queueType: 'quorum' | 'classic'

  constructor(questions: Questions, ladder: Ladder, namespace: string, queueType: 'quorum' | 'classic') {
    this.questions = questions
    this.ladder = ladder
    this.namespace = namespace
    this.queueType = queueType
  }

  async declare(topology: Topology, mode: 'create' | 'check'): Promise<void> {
    const { exchanges, queues } = wantedObjects(this.namespace, topology, this.queueType)
    if (queues.length > 0) await this.ladder.ensure(mode)
    for (const wanted of exchanges) {
      refuse(wanted.subject, await this.named(wanted.subject, () => this.exchange(wanted, mode)), mode)
    }
    // Dead letters first: a queue that is there can be settled.
    for (const wanted of [...queues].reverse()) {
      refuse(wanted.subject, await this.named(wanted.subject, () => this.queue(wanted, mode)), mode)
    }
    if (mode === 'create')
      for (const wanted of queues) await this.named(wanted.subject, () => this.bind(wanted))
  }

  async plan(topology: Topology): Promise<readonly PlanItem[]> {
    const { exchanges, queues } = wantedObjects(this.namespace, topology, this.queueType)
    const items: PlanItem[] = []
    for (const { subject } of exchanges) {
      const comparison = await this.named(subject, () => this.exchange({ subject }, 'check'))
      items.push({ ...subject, ...comparison, complete: true })
    }
    for (const wanted of queues) {
      const { subject } = wanted
      const comparison = await this.named(subject, () => this.comparedQueue(wanted))
      // The broker lists no bindings.
      items.push({ ...subject, ...comparison, complete: wanted.bindings.length === 0 })
    }
    // What a user asked for, before what belongs to it.
    return items.sort((one, other) => Number(one.kind === 'topic') - Number(other.kind === 'topic'))
  }

  private async exchange(
    { subject: { nativeName } }: WantedExchange,
    mode: 'create' | 'check',
  ): Promise<Comparison> {
    if (mode === 'check' && !(await exists(this.questions, 'exchange', nativeName))) return missing
    try {
      await this.questions.ask((channel) => channel.assertExchange(nativeName, 'topic', { durable: true }))
      return same
    } catch (error) {
      const found = readInequivalent(error instanceof Error ? error.message : '')
      if (found === undefined) throw error
      // Of others, and used as it is: only the type decides how it routes.
      if (found.argument !== 'type' && mode === 'check') return same
      return { action: 'mismatch', differences: [found] }
    }
  }

  private async queue(wanted: WantedQueue, mode: 'create' | 'check'): Promise<Comparison> {
    if (mode === 'check' && !(await exists(this.questions, 'queue', wanted.subject.nativeName)))
      return missing
    return declareQueue(this.questions, wanted, mode)
  }

  /** As creating it would find it, but making nothing. */
  private async comparedQueue(wanted: WantedQueue): Promise<Comparison> {
    if (!(await exists(this.questions, 'queue', wanted.subject.nativeName))) return missing
    return declareQueue(this.questions, wanted, 'create')
  }

  private async bind({ subject: { nativeName }, bindings, isSource }: WantedQueue): Promise<void> {
    for (const { exchange, pattern } of bindings) {
      await this.questions.ask((channel) => channel.bindQueue(nativeName, exchange, pattern))
    }
    if (isSource) await this.ladder.bindReturn({ queue: nativeName }, true)
  }

  private async named<Result>(subject: PlanSubject, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      throw toRabbitmqError(error, describe(subject), { phase: 'declare' })
    }
  }
}

type PlanSubject = Pick<PlanItem, 'kind' | 'part' | 'name' | 'nativeName'>

function refuse(subject: PlanSubject, { action, differences }: Comparison, mode: 'create' | 'check'): void {
  if (action === 'create' && mode === 'check') {
    const text = `There is no ${describe(subject)}. Declare it first, or use the topology mode "create".`
    throw new PosthornError('POSTHORN_TOPOLOGY_MISSING', text, { phase: 'declare' })
  }
  if (action !== 'mismatch') return
  const show = (value: unknown): string => JSON.stringify(value) ?? 'not set'
  const shown = differences.map(
    ({ argument, wanted, found }) => `${argument} is ${show(found)} and not ${show(wanted)}`,
  )
  const text = `The ${describe(subject)} exists with other arguments: ${shown.join(', ')}. Declare it as it is, or under another name.`
  throw new PosthornError('POSTHORN_TOPOLOGY_MISMATCH', text, { phase: 'declare' })
}

function describe({ kind, part, name, nativeName }: PlanSubject): string {
  const native = nativeName === name ? '' : ` (${nativeName})`
  if (part === 'deadLetters') return `dead-letter queue${native} of the ${kind} "${name}"`
  if (part === 'retry') return `queue${native} for held messages of the ${kind} "${name}"`
  return `${kind} "${name}"${native}`
}
