import type {
  DeliverySink,
  Driver,
  DriverConnection,
  DriverConsumer,
  DriverHost,
  SettleItem,
} from '@posthorn/transport/driver'
import type { ChainProcess } from './chain-process.ts'
import { copyOf } from './journal.ts'
import type { Area } from './fault-plan.ts'
import { brokerRefuses } from './planned-errors.ts'
import type { Stage } from './stage.ts'

/** The in-memory broker's driver as one process has it, each of whose calls is a step that can fail. */
export function faultyDriver(stage: Stage, process: ChainProcess): Driver {
  const driver = stage.broker.driver(process.name)
  return {
    specificationVersion: driver.specificationVersion,
    name: driver.name,
    connect: (host) =>
      stage.wait({
        process,
        area: 'broker',
        name: 'connect',
        act: async () => faultyConnection(stage, process, await driver.connect(awake(process, host))),
        refuse() {
          throw brokerRefuses('connect')
        },
      }),
  }
}

/** The same where only what is published can fail. */
export function faultySending(stage: Stage, process: ChainProcess): Driver {
  const driver = stage.broker.driver(process.name)
  return {
    specificationVersion: driver.specificationVersion,
    name: driver.name,
    async connect(host) {
      const connection = await driver.connect(host)
      return { ...bound(connection), publish: faultyPublish(stage, process, connection, 'sending') }
    },
  }
}

function faultyConnection(
  stage: Stage,
  process: ChainProcess,
  connection: DriverConnection,
): DriverConnection {
  return {
    ...bound(connection),
    declare: (topology, mode) =>
      stage.wait({
        process,
        area: 'broker',
        name: 'declare',
        act: () => connection.declare(topology, mode),
        refuse() {
          throw brokerRefuses('declare')
        },
      }),
    publish: faultyPublish(stage, process, connection, 'broker'),
    consume: (source, request, sink) =>
      stage.wait({
        process,
        area: 'broker',
        name: 'consume',
        act: async () =>
          faultyConsumer(
            stage,
            process,
            await connection.consume(source, request, awakeSink(stage, process, sink)),
          ),
        refuse() {
          throw brokerRefuses('receive')
        },
      }),
  }
}

function faultyPublish(
  stage: Stage,
  process: ChainProcess,
  connection: DriverConnection,
  area: Area,
): DriverConnection['publish'] {
  return (destination, batch, deadline) =>
    stage.wait({
      process,
      area,
      name: `publish to ${destination.name}`,
      act: () => connection.publish(destination, batch, deadline),
      refuse: (kind) => batch.map(() => brokerRefuses('publish', kind === 'refuse' ? 'rejected' : 'unknown')),
    })
}

function faultyConsumer(stage: Stage, process: ChainProcess, consumer: DriverConsumer): DriverConsumer {
  return {
    flow: consumer.flow,
    window: (scope, size) => consumer.window(scope, size),
    settle: (scope, items) =>
      stage.wait({
        process,
        area: 'broker',
        name: `settle: ${[...new Set(items.map(({ verb }) => verb))].join(', ')}`,
        id: items[0]?.delivery.message.id,
        async act() {
          const outcomes = await consumer.settle(scope, items)
          for (const [index, item] of items.entries())
            if (outcomes[index] === 'confirmed' || outcomes[index] === 'sent') note(stage, item)
          return outcomes
        },
        refuse(kind) {
          if (kind === 'refuse') return items.map(() => brokerRefuses('settle'))
          // On a connection that lives on, an answer is not lost.
          stage.broker.faults.cut(process.name)
          return items.map(() => 'lost' as const)
        },
      }),
    renew: (scope, deliveries) =>
      stage.wait({
        process,
        area: 'broker',
        name: 'renew',
        id: deliveries[0]?.message.id,
        act: () => consumer.renew(scope, deliveries),
        refuse: () => deliveries.map(() => brokerRefuses('settle')),
      }),
    ready: () => consumer.ready(),
    close: () => consumer.close(),
  }
}

function note({ journal }: Stage, { verb, delivery }: SettleItem): void {
  if (verb === 'retry') journal.spent.add(copyOf(delivery.message))
}

/** Hears of nothing while the process is frozen. */
function awake(process: ChainProcess, host: DriverHost): DriverHost {
  return {
    clock: host.clock,
    namespace: host.namespace,
    signal: host.signal,
    emit: host.emit,
    lost: (error) => process.whenAwake(() => host.lost(error)),
    unreachable: (reason) => process.whenAwake(() => host.unreachable(reason)),
    blocked: (reason) => process.whenAwake(() => host.blocked(reason)),
  }
}

function awakeSink(stage: Stage, process: ChainProcess, sink: DeliverySink): DeliverySink {
  return {
    assigned: (scope) => sink.assigned(scope),
    deliver(scope, deliveries) {
      for (const { message } of deliveries) stage.journal.handedOut(message)
      process.whenAwake(() => sink.deliver(scope, deliveries))
    },
    revoke: (scope, deadlineMs) => sink.revoke(scope, deadlineMs),
    lost: (scope, error) => process.whenAwake(() => sink.lost(scope, error)),
    ended: (error) => process.whenAwake(() => sink.ended(error)),
  }
}

function bound(connection: DriverConnection): DriverConnection {
  return {
    version: connection.version,
    capabilities: connection.capabilities,
    native: connection.native,
    declare: (topology, mode) => connection.declare(topology, mode),
    plan: (topology) => connection.plan(topology),
    publish: (destination, batch, deadline) => connection.publish(destination, batch, deadline),
    consume: (source, request, sink) => connection.consume(source, request, sink),
    countDeadLetters: (source) => connection.countDeadLetters(source),
    openDeadLetters: (source, cursor) => connection.openDeadLetters(source, cursor),
    depth: (source) => connection.depth(source),
    close: () => connection.close(),
  }
}
