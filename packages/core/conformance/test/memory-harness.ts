import { createTransport, type Clock, type Transport } from '@posthorn/transport'
import { createMemoryBroker, type MemoryBroker, type MemoryBrokerOptions } from '@posthorn/transport/memory'
import { createVirtualClock } from '@posthorn/transport/testing'
import type { Driver } from '@posthorn/transport/driver'
import type { Faults, OpenOptions, TransportHarness, TransportUnderTest } from '@posthorn/conformance'

/** What a broken variant puts around the driver of each process. */
export type WrapDriver = (driver: Driver, broker: MemoryBroker) => Driver

export interface MemoryHarness extends TransportHarness {
  readonly broker: MemoryBroker
  /** What faults call a transport's connections. */
  nameOf(transport: Transport): string
  /** Its process is gone: the connection that it has, if it has one, and every further one. */
  kill(transport: Transport): void
}

export interface MemoryVariant {
  /** Default: a virtual one of its own. */
  readonly clock?: Clock
  readonly options?: Omit<MemoryBrokerOptions, 'clock'>
  /** Whether what foreign programs put has a position that identifies it. Default true. */
  readonly positions?: boolean
  readonly wrapDriver?: WrapDriver
  readonly wrapTransport?: (transport: Transport) => Transport
}

/** The in-memory broker on a virtual clock. */
export function createMemoryHarness(variant: MemoryVariant = {}): MemoryHarness {
  const clock = variant.clock ?? createVirtualClock()
  const broker = createMemoryBroker({ ...variant.options, clock })
  const names = new Map<Transport, string>()
  const killed = new Set<string>()

  /** A process that was killed connects no more. */
  function mortal(driver: Driver, name: string): Driver {
    return {
      ...driver,
      async connect(host) {
        const connection = await (killed.has(name)
          ? new Promise<never>(() => undefined)
          : driver.connect(host))
        if (killed.has(name)) broker.faults.crash(name)
        return connection
      },
    }
  }

  return {
    broker,
    clock,
    nameOf(transport) {
      const name = names.get(transport)
      if (name === undefined) throw new Error('This transport was not opened by this harness.')
      return name
    },
    async open({ name, ...options }: OpenOptions = {}) {
      const unique = `${name ?? 'process'}-${names.size}`
      const driver: Driver = mortal(broker.driver(unique), unique)
      const wrapped = variant.wrapDriver?.(driver, broker) ?? driver
      const opened: Transport = await createTransport(wrapped, { clock, ...options })
      const transport = variant.wrapTransport?.(opened) ?? opened
      names.set(transport, unique)
      return transport
    },
    kill(transport) {
      killed.add(this.nameOf(transport))
      broker.faults.crash(this.nameOf(transport))
    },
    raw: {
      put: async (queue, message) =>
        broker.raw.put(queue, { ...message, hasPosition: variant.positions ?? true }),
    },
    close: async () => undefined,
  }
}

const memoryFaults: Faults<MemoryHarness> = {
  restart: 'the contents of the in-memory broker end with its process',
  kill: (harness, transport) => harness.kill(transport),
  cut: (harness, transport) =>
    harness.broker.faults.cut(transport === 'all' ? undefined : harness.nameOf(transport)),
  refuse: ({ broker }, on) => broker.faults.refuse(on),
  loseConfirmations: ({ broker }, count) => broker.faults.loseConfirmations(count),
  rejectPublishes: ({ broker }, count) => broker.faults.rejectPublishes(count),
  freezePublishes: ({ broker }, on) => broker.faults.freezePublishes(on),
  failDeadLetters: ({ broker }, count) => broker.faults.failDeadLetters(count),
  failSettlements: ({ broker }, count) => broker.faults.failSettlements(count),
  dropLeases: ({ broker }, source) => broker.faults.dropLeases(source),
  revoke: ({ broker }, source) => broker.faults.revoke(source),
  endConsumers: ({ broker }, source) => broker.faults.endConsumers(source),
  block: ({ broker }, on) => broker.faults.block(on ? 'a fault asked for by a test' : undefined),
  loseDeclared: ({ broker }, source) => broker.faults.loseDeclared(source),
  stall: ({ broker }, source, on) => broker.faults.stall(source, on),
}

/** `create` makes the variant anew for each broker. */
export function memorySubject(
  name: string,
  create: () => MemoryVariant = () => ({}),
): TransportUnderTest<MemoryHarness> {
  return { name, create: async () => createMemoryHarness(create()), faults: memoryFaults }
}
