import { createDriverSide } from './driver.ts'
import { createTransport } from '../create-transport.ts'
import { checkOptions, text } from '../options/check-options.ts'
import { transportRules } from '../options/transport-rules.ts'
import type { DriverSide } from './driver.ts'
import type { MemoryNative } from './native.ts'
import type { MemoryBrokerOptions } from './options.ts'
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
export interface MemoryBroker extends DriverSide {
  /** A transport to this broker, with its clock. */
  connect(options?: MemoryConnectOptions): Promise<Transport<MemoryNative>>
}

/** Throws `POSTHORN_INVALID_OPTION` or `POSTHORN_UNKNOWN_OPTION`. */
export function createMemoryBroker(options: MemoryBrokerOptions = {}): MemoryBroker {
  const side = createDriverSide(options)
  return {
    ...side,
    async connect(options = {}) {
      checkOptions('connect()', options, { ...transportRules, name: text({ max: 100 }) })
      const { name, ...transportOptions } = options
      return createTransport(side.driver(name), { clock: side.clock, ...transportOptions })
    },
  }
}

/** A broker of its own and a transport to it. */
export async function memory(options: TransportOptions = {}): Promise<Transport<MemoryNative>> {
  checkOptions('memory()', options, transportRules)
  return createMemoryBroker(options.clock === undefined ? {} : { clock: options.clock }).connect(options)
}
