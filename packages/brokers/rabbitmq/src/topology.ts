import { PosthornError } from '@posthorn/transport/driver'
import { declareQueue, exists, missing, same, type Comparison } from './compare-queue.ts'
import { replyCode, toRabbitmqError } from './errors.ts'
import { readInequivalent } from './inequivalent-argument.ts'
import { wantedObjects, type WantedExchange, type WantedQueue } from './wanted-objects.ts'
import type { Ladder } from './ladder.ts'
import type { MissingQueues } from './missing-queues.ts'
import type { Questions } from './questions.ts'
import type { PlanItem, Topology } from '@posthorn/transport/driver'

/** Makes and compares what is on the broker. */
export class RabbitmqTopology {
  private readonly questions: Questions
  private readonly ladder: Ladder
  private readonly namespace: string
  private readonly queueType: 'quorum' | 'classic'
  private readonly missing: MissingQueues

  constructor(
    questions: Questions,
    ladder: Ladder,
    namespace: string,
    queueType: 'quorum' | 'classic',
    missing: MissingQueues,
  ) {
    this.questions = questions
    this.ladder = ladder
    this.namespace = namespace
    this.queueType = queueType
    this.missing = missing
  }

  /** Answers the names on the broker of all that messages can come back to. */
  async declare(topology: Topology, mode: 'create' | 'check'): Promise<readonly string[]> {
    const { exchanges, queues } = wantedObjects(this.namespace, topology, this.queueType)
    if (queues.length > 0) await this.ladder.ensure(mode)
    for (const wanted of exchanges) {
      refuse(wanted.subject, await this.named(wanted.subject, () => this.exchange(wanted, mode)), mode)
    }
    if (mode === 'create') await this.missing.parted(queues.map(({ subject }) => subject.nativeName))
    // Dead letters first: a queue that is there can be settled.
    for (const wanted of [...queues].reverse()) {
      refuse(wanted.subject, await this.named(wanted.subject, () => this.queue(wanted, mode)), mode)
    }
    const names = [...exchanges, ...queues].map(({ subject }) => subject.nativeName)
    if (mode !== 'create') return names
    for (const wanted of exchanges) await this.named(wanted.subject, () => this.bindExchange(wanted))
    for (const wanted of queues) await this.named(wanted.subject, () => this.bind(wanted))
    return names
  }

  async plan(topology: Topology): Promise<readonly PlanItem[]> {
    const { exchanges, queues } = wantedObjects(this.namespace, topology, this.queueType)
    const items: PlanItem[] = []
    for (const wanted of exchanges) {
      const { subject } = wanted
      const comparison = await this.named(subject, () => this.exchange(wanted, 'check'))
      items.push({ ...subject, ...comparison, complete: wanted.bindings.length === 0 })
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
    { subject: { nativeName }, type, alternate }: WantedExchange,
    mode: 'create' | 'check',
  ): Promise<Comparison> {
    if (mode === 'check' && !(await exists(this.questions, 'exchange', nativeName))) return missing
    try {
      const options = { durable: true, ...(alternate === undefined ? {} : { alternateExchange: alternate }) }
      await this.questions.ask((channel) => channel.assertExchange(nativeName, type, options))
      return same
    } catch (error) {
      if (mode === 'check' && replyCode(error) === 403) return same
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

  private async bindExchange({ subject: { nativeName }, bindings }: WantedExchange): Promise<void> {
    for (const { exchange, pattern } of bindings)
      await this.questions.ask((channel) => channel.bindExchange(nativeName, exchange, pattern))
  }

  private async bind(wanted: WantedQueue): Promise<void> {
    const { subject, bindings, formerBindings, isSource } = wanted
    const { nativeName } = subject
    await this.questions.ask(async (channel) => {
      for (const { exchange, pattern, arguments: match } of bindings)
        await channel.bindQueue(nativeName, exchange, pattern, match)
      // Each message would come twice.
      for (const { exchange, pattern } of formerBindings)
        await channel.unbindQueue(nativeName, exchange, pattern)
    })
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
  const text = `The ${describe(subject)} exists with other arguments: ${shown.join(', ')}. ${advice(differences, mode)}`
  throw new PosthornError('POSTHORN_TOPOLOGY_MISMATCH', text, { phase: 'declare' })
}

function advice(differences: Comparison['differences'], mode: 'create' | 'check'): string {
  if (mode === 'check') return 'Declare it as it is, or under another name.'
  const isOther = differences.some(({ argument }) => argument === 'x-queue-type')
  return isOther
    ? 'Use it as it is by topology: "check", have classic queues made by queueType: "classic", or take another name.'
    : 'Use it as it is by topology: "check", declare it as it is, or take another name.'
}

function describe({ kind, part, name, nativeName }: PlanSubject): string {
  const native = nativeName === name ? '' : ` (${nativeName})`
  if (part === 'deadLetters') return `dead-letter queue${native} of the ${kind} "${name}"`
  if (part === 'retry') return `queue${native} for held messages of the ${kind} "${name}"`
  return `${kind} "${name}"${native}`
}
