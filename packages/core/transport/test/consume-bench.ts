import type { Driver, DriverConnection, DriverConsumer } from '../src/contract/driver.ts'
import type { TransportEvents } from '../src/contract/events.ts'
import type { Transport } from '../src/contract/transport.ts'
import { createTransport } from '../src/create-transport.ts'
import { createMemoryBroker, type MemoryBroker, type MemoryBrokerOptions } from '../src/memory.ts'
import { createVirtualClock, type VirtualClock } from '../src/testing.ts'

/** What a test puts around the driver's parts. */
export interface DriverWrap {
  readonly connection?: (connection: DriverConnection) => Partial<DriverConnection>
  readonly consumer?: (consumer: DriverConsumer) => Partial<DriverConsumer>
}

export interface OpenOptions {
  /** What faults call its connections. */
  readonly name?: string
  readonly stallMs?: number
  readonly wrap?: DriverWrap
}

/** Events in the order in which they came. */
export interface EventRecord {
  /** Those of one name. */
  readonly of: <Name extends keyof TransportEvents>(name: Name) => TransportEvents[Name][]
}

export interface ConsumeBench {
  readonly clock: VirtualClock
  readonly broker: MemoryBroker
  /** A transport of its own, as another process would have. */
  readonly open: (options?: OpenOptions) => Promise<Transport>
  /** Lets the queue's first message be handed out so many times, each time to a process that is killed. */
  readonly crashOn: (queue: string, times: number) => Promise<void>
  /** Closes what was opened, handlers that hang or not. */
  readonly close: () => Promise<void>
}

/** For tests of consumers: the in-memory broker with a virtual clock. */
export function createConsumeBench(options: Omit<MemoryBrokerOptions, 'clock'> = {}): ConsumeBench {
  const clock = createVirtualClock()
  const broker = createMemoryBroker({ ...options, clock })
  const opened: Transport[] = []
  return {
    clock,
    broker,
    async open({ name, stallMs, wrap = {} } = {}) {
      const driver = wrapDriver(broker.driver(name), wrap)
      const transport = await createTransport(driver, {
        clock,
        ...(stallMs === undefined ? {} : { stallMs }),
      })
      opened.push(transport)
      return transport
    },
    async crashOn(queue, times) {
      for (let time = 0; time < times; time++) {
        const victim = await broker.connect({ name: 'victim' })
        await victim.consume(queue, () => new Promise(() => {}), { concurrency: 1 })
        await clock.advance(0)
        broker.faults.crash('victim')
        await clock.advance(0)
      }
    },
    async close() {
      const closing = Promise.all(opened.map((transport) => transport.close({ deadlineMs: 0 })))
      await clock.advance(30_000)
      await closing
    },
  }
}

/** Records the events of a transport from now on. */
export function recordEvents(transport: Transport): EventRecord {
  const seen = new Map<string, unknown[]>()
  const names: (keyof TransportEvents)[] = [
    'settlementFailed',
    'leaseLost',
    'expired',
    'decodeFailed',
    'retried',
    'deadLettered',
    'deadLetterFailed',
    'handlerTimedOut',
    'handlerFailed',
    'suspect',
    'paused',
    'resumed',
    'stalled',
    'rebuilt',
    'callbackFailed',
  ]
  for (const name of names) {
    const list: unknown[] = []
    seen.set(name, list)
    transport.on(name, (event) => list.push(event))
  }
  return {
    of: <Name extends keyof TransportEvents>(name: Name) => (seen.get(name) ?? []) as TransportEvents[Name][],
  }
}

/** A promise to wait for, and how to fulfil it. */
export function createGate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

function wrapDriver(driver: Driver, wrap: DriverWrap): Driver {
  return {
    ...driver,
    async connect(host) {
      const connection = await driver.connect(host)
      const wrapped: DriverConnection = Object.create(connection) as DriverConnection
      return Object.assign(
        wrapped,
        {
          consume: async (...args: Parameters<DriverConnection['consume']>) => {
            const consumer = await connection.consume(...args)
            return Object.assign(bound(consumer), wrap.consumer?.(consumer))
          },
        },
        wrap.connection?.(connection),
      )
    },
  }
}

function bound(consumer: DriverConsumer): DriverConsumer {
  return {
    flow: consumer.flow,
    window: (scope, size) => consumer.window(scope, size),
    settle: (scope, items) => consumer.settle(scope, items),
    renew: (scope, deliveries) => consumer.renew(scope, deliveries),
    ready: () => consumer.ready(),
    close: () => consumer.close(),
  }
}
