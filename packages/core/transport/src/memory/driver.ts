import { describeCapabilities } from './capabilities.ts'
import { Connection } from './connection.ts'
import { connectAborted, connectRefused } from './errors.ts'
import { createFaults } from './faults.ts'
import { KeepAlive } from './keep-alive.ts'
import { createNative } from './native.ts'
import { readMemoryOptions } from './options.ts'
import { createParts } from './parts.ts'
import { Processes } from './processes.ts'
import { createRaw } from './raw.ts'
import { systemClock } from '../clock/system-clock.ts'
import type { MemoryFaults } from './faults.ts'
import type { MemoryNative } from './native.ts'
import type { MemoryBrokerOptions } from './options.ts'
import type { MemoryRaw } from './raw.ts'
import type { Clock } from '../contract/clock.ts'
import type { Driver } from '../contract/driver.ts'

/** A broker without a transport to it. */
export interface DriverSide {
  readonly clock: Clock
  /** What goes wrong when a test asks for it. */
  readonly faults: MemoryFaults
  /** The broker as seen by a program without Posthorn. */
  readonly raw: MemoryRaw
  /** For `createTransport`: one process, which connects again and again. `name` is what faults call it. */
  driver(name?: string): Driver<MemoryNative>
}

/** Throws `POSTHORN_INVALID_OPTION` or `POSTHORN_UNKNOWN_OPTION`. */
export function createDriverSide(options: MemoryBrokerOptions): DriverSide {
  const settings = readMemoryOptions(options)
  const clock = options.clock ?? systemClock
  const parts = createParts(clock, settings)
  const capabilities = describeCapabilities(settings)
  const native = createNative(parts)
  const connections = new Set<Connection>()
  const keepAlive = new KeepAlive(clock)
  const processes = new Processes()

  function closed(connection: Connection): void {
    connections.delete(connection)
    if (connections.size > 0) return
    parts.schedule.stop()
    keepAlive.stop()
  }

  return {
    clock,
    faults: createFaults(parts, connections, processes),
    raw: createRaw(parts),
    driver(name) {
      const process = processes.named(name)
      return {
        specificationVersion: 'v1',
        name: 'memory',
        async connect(host) {
          if (host.signal.aborted) throw connectAborted()
          if (!process.isAlive) return neverConnected(host.signal)
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
    },
  }
}

/** Until it is given up. */
function neverConnected(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(connectAborted()), { once: true })
  })
}
