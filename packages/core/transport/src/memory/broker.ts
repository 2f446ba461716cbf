import { describeCapabilities } from './capabilities.ts'
import { Connection } from './connection.ts'
import { connectAborted, connectRefused } from './errors.ts'
import { createFaults } from './faults.ts'
import { KeepAlive } from './keep-alive.ts'
import { createNative } from './native.ts'
import { readMemoryOptions } from './options.ts'
import { createParts } from './parts.ts'
import { createRaw } from './raw.ts'
import { systemClock } from '../clock/system-clock.ts'
import { createTransport } from '../create-transport.ts'
import type { MemoryFaults } from './faults.ts'
import type { MemoryNative } from './native.ts'
import type { MemoryBrokerOptions } from './options.ts'
import type { MemoryRaw } from './raw.ts'
import type { Clock } from '../contract/clock.ts'
import type { Driver } from '../contract/driver.ts'
import type { Transport } from '../contract/transport.ts'
import type { TransportOptions } from '../contract/transport-options.ts'

export interface MemoryConnectOptions extends TransportOptions {
  /** What faults call this transport's connections. Default: none. */
  readonly name?: string
}

/**
 * A broker in this process. Its contents outlive the connections and transports to it, and end with the process. Any
 * number of transports can use it at the same time, as several services or several instances of one.
 */
export interface MemoryBroker {
  readonly clock: Clock
  /** What goes wrong when a test asks for it. */
  readonly faults: MemoryFaults
  /** The broker as seen by a program without Posthorn. */
  readonly raw: MemoryRaw
  /** A transport to this broker, with its clock. */
  connect(options?: MemoryConnectOptions): Promise<Transport<MemoryNative>>
  /** For `createTransport`; `name` is what faults call its connections. */
  driver(name?: string): Driver<MemoryNative>
}

/** Throws `POSTHORN_INVALID_OPTION` or `POSTHORN_UNKNOWN_OPTION`. */
export function createMemoryBroker(options: MemoryBrokerOptions = {}): MemoryBroker {
  const settings = readMemoryOptions(options)
  const clock = options.clock ?? systemClock
  const parts = createParts(clock, settings)
  const capabilities = describeCapabilities(settings)
  const native = createNative(parts)
  const connections = new Set<Connection>()
  const keepAlive = new KeepAlive(clock)

  function closed(connection: Connection): void {
    connections.delete(connection)
    if (connections.size > 0) return
    parts.schedule.stop()
    keepAlive.stop()
  }

  function driver(name?: string): Driver<MemoryNative> {
    return {
      specificationVersion: 'v1',
      name: 'memory',
      async connect(host) {
        if (host.signal.aborted) throw connectAborted()
        if (parts.faults.refusesConnections) throw connectRefused(parts.faults.refusesForGood)
        const connection = new Connection(name, host, parts, capabilities, native, closed)
        connections.add(connection)
        parts.schedule.start()
        keepAlive.start()
        // A broker tells of it once the connection stands.
        if (parts.faults.blocked !== undefined) clock.defer(() => connection.block(parts.faults.blocked))
        return connection
      },
    }
  }

  return {
    clock,
    faults: createFaults(parts, connections),
    raw: createRaw(parts),
    driver,
    connect({ name, ...transportOptions } = {}) {
      return createTransport(driver(name), { clock, ...transportOptions })
    },
  }
}

/** A broker of its own and a transport to it. */
export function memory(options: TransportOptions = {}): Promise<Transport<MemoryNative>> {
  return createMemoryBroker(options.clock === undefined ? {} : { clock: options.clock }).connect(options)
}
