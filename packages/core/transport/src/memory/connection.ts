import { Consumer } from './consumer.ts'
import { MemoryDeadLetterPass } from './dead-letter-pass.ts'
import { connectionLost, deadLettersBusy, missing, unsupported } from './errors.ts'
import { nativeInbox, nativeName, nativeSource } from './native-names.ts'
import { PublishGate } from './publish-gate.ts'
import { openQueue, plainArguments, Queue } from './queue.ts'
import { declare, plan } from './topology.ts'
import { sourceName } from '../routing/names.ts'
import type { MemoryNative } from './native.ts'
import type { BrokerParts } from './parts.ts'
import type { Capabilities } from '../contract/capabilities.ts'
import type { Depth } from '../contract/depth.ts'
import type {
  ConsumeRequest,
  DeadLetterPass,
  DeliverySink,
  Destination,
  DriverConnection,
  DriverConsumer,
  DriverHost,
  PublishOutcome,
  Source,
} from '../contract/driver.ts'
import type { PlanItem, Topology } from '../contract/topology.ts'
import type { WireMessage } from '../contract/wire-message.ts'

/** Messages that an ephemeral subscription or an inbox holds at most. */
export const maxEphemeralMessages = 10_000

/** One connection of one transport. When it ends, so does everything that was only for it. */
export class Connection implements DriverConnection<MemoryNative> {
  /** Given by who connects, for faults. */
  readonly name: string | undefined
  readonly version: string
  readonly capabilities: Capabilities
  readonly native: MemoryNative
  private readonly host: DriverHost
  private readonly parts: BrokerParts
  private readonly onClosed: (connection: Connection) => void
  private readonly gate: PublishGate
  private readonly consumers = new Set<Consumer>()
  private readonly passes = new Set<MemoryDeadLetterPass>()
  private waiting: (() => void)[] = []
  private isOpen = true

  constructor(
    name: string | undefined,
    host: DriverHost,
    parts: BrokerParts,
    capabilities: Capabilities,
    native: MemoryNative,
    onClosed: (connection: Connection) => void,
  ) {
    this.name = name
    this.host = host
    this.parts = parts
    this.version = parts.settings.version
    this.capabilities = capabilities
    this.native = native
    this.onClosed = onClosed
    this.gate = new PublishGate(parts, host.namespace)
  }

  get isReachable(): boolean {
    return this.gate.isReachable
  }

  async declare(topology: Topology, mode: 'create' | 'check'): Promise<void> {
    await this.ready()
    declare(this.parts, this.host.namespace, topology, mode)
  }

  async plan(topology: Topology): Promise<readonly PlanItem[]> {
    await this.ready()
    return plan(this.parts, this.host.namespace, topology)
  }

  publish(
    destination: Destination,
    batch: readonly WireMessage[],
    deadline: number,
  ): Promise<readonly PublishOutcome[]> {
    if (this.isOpen) return this.gate.write(destination, batch, deadline)
    const error = connectionLost('it was closed', 'rejected')
    return Promise.resolve(batch.map(() => error))
  }

  async consume(source: Source, request: ConsumeRequest, sink: DeliverySink): Promise<DriverConsumer> {
    await this.ready()
    if (request.order === 'key' && !this.parts.settings.keyOrder) {
      throw unsupported('order by key', 'Consume with order "none".', 'declare')
    }
    const consumer = new Consumer(
      this,
      this.open(source),
      this.deadLetterQueue(source),
      request,
      sink,
      this.parts,
    )
    this.consumers.add(consumer)
    this.parts.clock.defer(() => consumer.start())
    return consumer
  }

  async countDeadLetters(source: Source): Promise<number> {
    await this.ready()
    this.find(source)
    return this.parts.queues.get(this.deadLetterQueue(source) ?? '')?.letters.size ?? 0
  }

  async openDeadLetters(source: Source, cursor: string | undefined): Promise<DeadLetterPass> {
    await this.ready()
    const queue = this.find(source)
    const name = this.deadLetterQueue(source)
    if (name === undefined) {
      throw unsupported(
        `dead letters of "${sourceName(source)}"`,
        'It is at most once: what fails is gone.',
        'receive',
      )
    }
    const deadLetters = openQueue(this.parts, name)
    if (deadLetters.hasPass) throw deadLettersBusy(sourceName(source))
    const onClosed = (closed: MemoryDeadLetterPass): boolean => this.passes.delete(closed)
    const pass = new MemoryDeadLetterPass(deadLetters, queue.name, cursor, this.parts, onClosed)
    this.passes.add(pass)
    return pass
  }

  async depth(source: Source): Promise<Depth> {
    await this.ready()
    return this.find(source).depth(this.deadLetterQueue(source))
  }

  close(): Promise<void> {
    this.end(this.parts.settings.release === 'counted', 'it was closed')
    return Promise.resolve()
  }

  /** Ends it from the broker's side; the deliveries count. A process that was killed is not told. */
  lose(reason: string, isTold: boolean): void {
    if (!this.isOpen) return
    this.end(true, reason)
    if (isTold) this.host.lost(connectionLost(reason))
  }

  block(reason: string | undefined): void {
    if (!this.isOpen) return
    this.host.blocked(reason)
    this.gate.resume()
  }

  /** While there is a reason, nothing comes through, in either direction. */
  interrupt(reason: string | undefined): void {
    if (!this.isOpen) return
    this.gate.isReachable = reason === undefined
    this.host.unreachable(reason)
    for (const consumer of this.consumers) consumer.interrupt()
    if (reason === undefined) this.letThrough()
  }

  /** Writes what the broker did not look at. */
  resume(): void {
    this.gate.resume()
  }

  forget(consumer: Consumer): void {
    this.consumers.delete(consumer)
  }

  /** Resolves once the broker can be reached, or never will be. */
  reach(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve))
  }

  private letThrough(): void {
    const { waiting } = this
    this.waiting = []
    for (const resolve of waiting) resolve()
    this.gate.resume()
  }

  private end(counted: boolean, reason: string): void {
    if (!this.isOpen) return
    this.isOpen = false
    for (const consumer of this.consumers) consumer.end(counted)
    for (const pass of this.passes) pass.lose()
    this.gate.close(reason)
    this.gate.isReachable = true
    this.letThrough()
    this.onClosed(this)
  }

  private async ready(): Promise<void> {
    if (this.isOpen && !this.isReachable) await this.reach()
    if (!this.isOpen) throw connectionLost('it was closed')
  }

  private find(source: Source): Queue {
    const queue =
      source.kind === 'ephemeral'
        ? undefined
        : this.parts.queues.get(nativeSource(this.host.namespace, source))
    if (queue === undefined) throw missing(`${source.kind} "${sourceName(source)}"`)
    return queue
  }

  private deadLetterQueue(source: Source): string | undefined {
    if (source.kind === 'ephemeral' || source.kind === 'inbox') return undefined
    return nativeName(this.host.namespace, source.deadLetterQueue)
  }

  /** The queue to read, made where it is only for the reader. */
  private open(source: Source): Queue {
    if (source.kind !== 'ephemeral' && source.kind !== 'inbox') return this.find(source)
    if (!this.parts.settings.ephemeral) {
      throw unsupported('ephemeral subscriptions and inboxes', 'Subscribe with a group.', 'declare')
    }
    return source.kind === 'inbox'
      ? this.openInbox(source.name)
      : this.openEphemeral(source.topic, source.patterns)
  }

  private openInbox(name: string): Queue {
    const { host, parts } = this
    const native = nativeInbox(host.namespace, name)
    if (parts.queues.has(native)) throw missing(`free name "${name}" for an inbox: another one has it`)
    const queue = new Queue(
      native,
      { ...plainArguments, kind: 'inbox', maxMessages: maxEphemeralMessages },
      parts,
    )
    parts.queues.set(native, queue)
    return queue
  }

  private openEphemeral(topicName: string, patterns: readonly string[]): Queue {
    const { host, parts } = this
    const topic = parts.topics.get(nativeName(host.namespace, topicName))
    if (topic === undefined) throw missing(`topic "${topicName}"`)
    const name = `${topic.name}/~${parts.nextSerial()}`
    const args = {
      ...plainArguments,
      kind: 'ephemeral',
      maxMessages: maxEphemeralMessages,
      patterns,
    } as const
    const queue = topic.subscribe(name, args, undefined)
    queue.onMissed = (count) =>
      host.emit('gap', { source: `${topicName}/(ephemeral)`, scope: name, missing: count })
    return queue
  }
}
