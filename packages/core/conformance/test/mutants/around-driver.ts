import type {
  ConsumeRequest,
  DeadLetterPass,
  Delivery,
  DeliverySink,
  Destination,
  Driver,
  DriverConnection,
  DriverConsumer,
  PublishOutcome,
  Scope,
  SettleItem,
  SettleOutcome,
  Source,
  Topology,
  WireMessage,
} from '@posthorn/transport/driver'

/** One consumer of the driver, while it lives. */
export interface Held {
  readonly source: Source
  readonly scope: Scope
  /** Settles at the broker, whatever the twist says. */
  settle(items: readonly SettleItem[]): Promise<readonly SettleOutcome[]>
}

/** What a broken variant does differently; what it leaves out is as it should be. */
export interface Twist {
  publish?(
    publish: (batch: readonly WireMessage[]) => Promise<readonly PublishOutcome[]>,
    batch: readonly WireMessage[],
    destination: Destination,
    connection: DriverConnection,
  ): Promise<readonly PublishOutcome[]>
  declare?(
    declare: (topology: Topology, mode: 'create' | 'check') => Promise<void>,
    topology: Topology,
    mode: 'create' | 'check',
  ): Promise<void>
  consume?(
    consume: (source: Source, request: ConsumeRequest) => Promise<DriverConsumer>,
    source: Source,
    request: ConsumeRequest,
  ): Promise<DriverConsumer>
  /** Another source than the one asked for. */
  read?(source: Source): Source
  window?(size: number): number
  /** The delivery as the transport gets it; `undefined` keeps it from it. */
  deliver?(delivery: Delivery, held: Held): Delivery | undefined
  settle?(items: readonly SettleItem[], held: Held): Promise<readonly SettleOutcome[]>
  renew?(deliveries: readonly Delivery[]): readonly SettleOutcome[]
  /** Scopes are taken and nobody is told. */
  readonly silent?: true
  openDeadLetters?(
    open: () => Promise<DeadLetterPass>,
    source: Source,
    connection: DriverConnection,
  ): Promise<DeadLetterPass>
  /** What waits for a consumer. */
  ready?(): number
  /** The connection was opened, or one that follows. */
  connected?(): void
}

/** The driver with a twist. */
export function aroundDriver(driver: Driver, twist: Twist): Driver {
  return {
    specificationVersion: driver.specificationVersion,
    name: driver.name,
    async connect(host) {
      const connection = await driver.connect(host)
      twist.connected?.()
      return aroundConnection(connection, twist)
    },
  }
}

function aroundConnection(connection: DriverConnection, twist: Twist): DriverConnection {
  return {
    version: connection.version,
    capabilities: connection.capabilities,
    native: connection.native,
    async declare(topology, mode) {
      const declare = (wanted: Topology, as: 'create' | 'check'): Promise<void> =>
        connection.declare(wanted, as)
      await (twist.declare === undefined ? declare(topology, mode) : twist.declare(declare, topology, mode))
    },
    plan: (topology) => connection.plan(topology),
    publish(destination, batch, deadline) {
      const publish = (messages: readonly WireMessage[]): Promise<readonly PublishOutcome[]> =>
        connection.publish(destination, messages, deadline)
      return twist.publish === undefined
        ? publish(batch)
        : twist.publish(publish, batch, destination, connection)
    },
    async consume(source, request, sink) {
      const consume = (from: Source, as: ConsumeRequest): Promise<DriverConsumer> =>
        aroundConsumer(connection, from, as, sink, twist)
      const from = twist.read?.(source) ?? source
      return twist.consume === undefined ? consume(from, request) : twist.consume(consume, from, request)
    },
    countDeadLetters: (source) => connection.countDeadLetters(source),
    openDeadLetters(source, cursor) {
      const open = (): Promise<DeadLetterPass> => connection.openDeadLetters(source, cursor)
      return twist.openDeadLetters === undefined ? open() : twist.openDeadLetters(open, source, connection)
    },
    depth: (source) => connection.depth(source),
    close: () => connection.close(),
  }
}

async function aroundConsumer(
  connection: DriverConnection,
  source: Source,
  request: ConsumeRequest,
  sink: DeliverySink,
  twist: Twist,
): Promise<DriverConsumer> {
  /** By what the transport got in its place. */
  const originals = new WeakMap<Delivery, Delivery>()
  const original = (delivery: Delivery): Delivery => originals.get(delivery) ?? delivery
  const started: { consumer: DriverConsumer | undefined } = { consumer: undefined }

  const held = (scope: Scope): Held => ({
    source,
    scope,
    settle: async (items) =>
      started.consumer === undefined
        ? items.map(() => 'lost' as const)
        : started.consumer.settle(
            scope,
            items.map((item) => ({ ...item, delivery: original(item.delivery) })),
          ),
  })

  const consumer = await connection.consume(source, request, {
    assigned(scope) {
      const size = sink.assigned(scope)
      return twist.window?.(size) ?? size
    },
    deliver(scope, deliveries) {
      const changed = deliveries.flatMap((delivery) => {
        if (twist.deliver === undefined) return [delivery]
        const given = twist.deliver(delivery, held(scope))
        if (given === undefined) return []
        originals.set(given, delivery)
        return [given]
      })
      if (changed.length > 0) sink.deliver(scope, changed)
    },
    revoke: (scope, deadlineMs) =>
      twist.silent === true ? Promise.resolve() : sink.revoke(scope, deadlineMs),
    lost(scope, error) {
      if (twist.silent !== true) sink.lost(scope, error)
    },
    ended: (error) => sink.ended(error),
  })
  started.consumer = consumer
  return {
    flow: consumer.flow,
    window: (scope, size) => consumer.window(scope, twist.window?.(size) ?? size),
    settle: (scope, items) =>
      twist.settle === undefined ? held(scope).settle(items) : twist.settle(items, held(scope)),
    renew: (scope, deliveries) =>
      twist.renew === undefined
        ? consumer.renew(scope, deliveries.map(original))
        : Promise.resolve(twist.renew(deliveries)),
    ready: async () => twist.ready?.() ?? consumer.ready(),
    close: () => consumer.close(),
  }
}

/** A delivery whose message is changed. */
export function withMessage(delivery: Delivery, change: Partial<WireMessage>): Delivery {
  const { scope, token, deliveries, invalid, message } = delivery
  return { scope, token, deliveries, invalid, message: { ...message, ...change } }
}
