import { systemClock } from './clock/system-clock.ts'
import { jsonCodec } from './codec/json-codec.ts'
import type { Link } from './connection/link.ts'
import { Session } from './connection/session.ts'
import { TopologyRegistry } from './connection/topology-registry.ts'
import { Consumers } from './consume/consumers.ts'
import { LoneGate } from './consume/lone-gate.ts'
import type { Clock } from './contract/clock.ts'
import type { Driver } from './contract/driver.ts'
import type { TransportOptions } from './contract/transport-options.ts'
import { SourceAccess } from './dead-letters/source-access.ts'
import { EventHub } from './event-hub.ts'
import { createIdFactory } from './message/create-id.ts'
import { createMessagePreparer } from './message/prepare-message.ts'
import { transportDefaults } from './options/transport-rules.ts'
import { Publisher } from './publish/publisher.ts'
import { Sender } from './publish/sender.ts'

/** What one transport is made of. */
export interface TransportParts<Native> {
  readonly clock: Clock
  readonly hub: EventHub
  readonly session: Session<Native>
  readonly topology: TopologyRegistry
  readonly publisher: Publisher
  readonly sender: Sender
  readonly consumers: Consumers
  readonly sources: SourceAccess<Native>
}

/** How long what was there before may take to be declared again on a new connection. */
const restoreTimeoutMs = 10_000

/** Makes the parts and ties them together. `refuse` throws when nothing can be asked of the transport any more. */
export function createTransportParts<Native>(
  driver: Driver<Native>,
  given: TransportOptions,
  refuse: () => void,
): TransportParts<Native> {
  const { clock = systemClock, codec = jsonCodec } = given
  const options = { ...transportDefaults, ...withoutUndefined(given) }
  const hub = new EventHub()
  const { emit } = hub
  const createId = createIdFactory(clock)

  const session: Session<Native> = new Session<Native>({
    driver,
    clock,
    emit,
    namespace: options.namespace,
    connectTimeoutMs: options.connectTimeoutMs,
    maxReconnects: options.maxReconnects,
    patienceMs: options.sendTimeoutMs,
    restore,
    ready: () => publisher.wake(),
    lost: (error) => {
      publisher.connectionLost(error)
      consumers.connectionLost(error)
    },
    gaveUp: (error) => {
      topology.stopRestoring()
      publisher.fail(error)
    },
  })

  const topology = new TopologyRegistry(options.topology, clock, (wanted, mode) =>
    session.ask('declare()', (connection) => connection.declare(wanted, mode)),
  )

  const publisher = new Publisher(
    {
      clock,
      emit,
      broker: driver.name,
      connection: () => session.writable,
      reason: () => session.reason,
      ensure: (destination) => topology.ensure(destination),
      forget: (destination) => topology.forget(destination),
      unresponsive: (error) => session.supervisor.replace(error),
    },
    options,
  )

  const prepare = createMessagePreparer({ codec, clock, createId, broker: () => session.broker })
  const sender = new Sender({
    clock,
    refuse,
    publisher,
    sendTimeoutMs: options.sendTimeoutMs,
    limits: options,
    shardsOf: (queue) => topology.shardsOf(queue),
    middleware: given.publishUse ?? [],
    prepare,
  })

  const sources = new SourceAccess({ clock, session, topology, prepare, refuse })

  const consumers = new Consumers({
    clock,
    codec,
    createId,
    emit,
    refuse,
    topology,
    sender,
    gate: new LoneGate(),
    stallMs: options.stallMs,
    broker: () => session.broker,
    connection: () => session.connection,
    whenConnected: () => session.whenConnected(),
  })

  /** What a new connection needs before it counts as up. */
  async function restore(link: Link<Native>): Promise<void> {
    await topology.restore({
      declare: (wanted) =>
        session.ask('declare()', (to) => to.declare(wanted, 'create'), link, restoreTimeoutMs),
      isOver: () => link.over !== undefined,
    })
    if (link.over === undefined) await consumers.restore()
  }

  return { clock, hub, session, topology, publisher, sender, consumers, sources }
}

/** An option that is `undefined` is one left out. */
function withoutUndefined(options: TransportOptions): TransportOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
