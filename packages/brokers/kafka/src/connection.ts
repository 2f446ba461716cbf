import { sourceName } from '@posthorn/transport/driver'
import { describeCapabilities } from './capabilities.ts'
import { Cluster } from './cluster.ts'
import { DirectConsumer } from './direct-consumer.ts'
import { Dispatcher } from './dispatcher.ts'
import { KafkaConsumer } from './consumer.ts'
import { KafkaDeadLetterPass } from './dead-letters.ts'
import { KafkaTopology } from './topology.ts'
import { liveLetters } from './letter-log.ts'
import { notWritten, toKafkaError } from './errors.ts'
import { Publisher } from './publisher.ts'
import { sourceDepth } from './source-depth.ts'
import { sourceNames, type DurableSource } from './names.ts'
import { wantedInbox } from './wanted-objects.ts'
import type { Connections } from './client/connections.ts'
import type { ConsumerParts } from './consumer-parts.ts'
import type { KafkaSettings } from './options.ts'
import type {
  Capabilities,
  ConsumeRequest,
  DeadLetterPass,
  DeliverySink,
  Depth,
  Destination,
  DriverConnection,
  DriverConsumer,
  DriverHost,
  PlanItem,
  PublishOutcome,
  Source,
  Topology,
  WireMessage,
} from '@posthorn/transport/driver'

type AnyConsumer = KafkaConsumer | DirectConsumer

export class KafkaConnection<Native> implements DriverConnection<Native> {
  /** Kafka does not tell. */
  readonly version: undefined
  readonly capabilities: Capabilities
  readonly native: Native
  private readonly connections: Connections
  private readonly settings: KafkaSettings
  private readonly namespace: string
  private readonly cluster: Cluster
  private readonly publisher: Publisher
  private readonly dispatcher: Dispatcher
  private readonly topology: KafkaTopology
  private readonly parts: ConsumerParts
  private readonly consumers = new Set<AnyConsumer>()
  private isLive = true
  private serial = 0

  constructor(
    native: Native,
    connections: Connections,
    cluster: Cluster,
    host: DriverHost,
    settings: KafkaSettings,
  ) {
    this.native = native
    this.connections = connections
    this.settings = settings
    this.namespace = host.namespace
    this.capabilities = describeCapabilities(settings)
    this.cluster = cluster
    this.publisher = new Publisher(cluster, settings.compression)
    this.dispatcher = new Dispatcher(cluster, this.publisher, host.namespace)
    this.topology = new KafkaTopology(cluster, host.namespace, settings, host)
    this.parts = {
      cluster,
      publisher: this.publisher,
      dispatcher: this.dispatcher,
      settings,
      host,
      nextSerial: () => (this.serial += 1),
    }
  }

  async declare(topology: Topology, mode: 'create' | 'check'): Promise<void> {
    await this.try('what is declared', 'declare', () => this.topology.declare(topology, mode))
  }

  plan(topology: Topology): Promise<readonly PlanItem[]> {
    return this.try('what is planned', 'declare', () => this.topology.plan(topology))
  }

  publish(
    destination: Destination,
    batch: readonly WireMessage[],
    deadline: number,
  ): Promise<readonly PublishOutcome[]> {
    if (this.isLive) return this.dispatcher.publish(destination, batch, deadline)
    const error = notWritten('the connection was closed')
    return Promise.resolve(batch.map(() => error))
  }

  consume(source: Source, request: ConsumeRequest, sink: DeliverySink): Promise<DriverConsumer> {
    return this.try(`the ${source.kind} "${sourceName(source)}"`, 'receive', async () => {
      if (source.kind === 'inbox') {
        const wanted = wantedInbox(this.namespace, source.name, this.settings)
        await this.topology.declareTopics([wanted], 'create')
      }
      const onOver = (over: AnyConsumer): void => void this.consumers.delete(over)
      const consumer =
        source.kind === 'inbox' || source.kind === 'ephemeral'
          ? new DirectConsumer(this.parts, source, request, sink, onOver)
          : new KafkaConsumer(this.parts, source, request, sink, onOver)
      this.consumers.add(consumer)
      try {
        await consumer.start()
        return consumer
      } catch (error) {
        consumer.void()
        throw error
      }
    })
  }

  countDeadLetters(source: Source): Promise<number> {
    const what = `the dead-letter queue of "${sourceName(source)}"`
    return this.try(what, 'receive', async () => {
      const { deadLetters } = sourceNames(this.namespace, durable(source))
      await this.cluster.persist(() => this.cluster.partitionsOf(deadLetters, what))
      return (await liveLetters(this.cluster, deadLetters)).letters.length
    })
  }

  openDeadLetters(source: Source, cursor: string | undefined): Promise<DeadLetterPass> {
    return this.try(`the dead letters of "${sourceName(source)}"`, 'receive', () =>
      KafkaDeadLetterPass.open(this.parts, durable(source), cursor),
    )
  }

  depth(source: Source): Promise<Depth> {
    return this.try(`the ${source.kind} "${sourceName(source)}"`, 'receive', async () => {
      const names = sourceNames(this.namespace, durable(source))
      await this.cluster.persist(() => this.cluster.partitionsOf(names.topic, `The topic "${names.topic}"`))
      const held = [...this.consumers].reduce((sum, consumer) => sum + consumer.heldOf(names.group), 0)
      return sourceDepth(this.cluster, names, held)
    })
  }

  async close(): Promise<void> {
    if (!this.isLive) return
    await Promise.all([...this.consumers].map((consumer) => consumer.close()))
    this.isLive = false
    this.publisher.close('the connection was closed')
    this.connections.close()
  }

  private async try<Value>(
    what: string,
    phase: 'declare' | 'receive',
    act: () => Promise<Value>,
  ): Promise<Value> {
    try {
      return await act()
    } catch (error) {
      throw toKafkaError(error, what, { phase })
    }
  }
}

function durable(source: Source): DurableSource {
  if (source.kind === 'queue' || source.kind === 'subscription') return source
  throw new TypeError(`"${sourceName(source)}" has no dead letters.`)
}
