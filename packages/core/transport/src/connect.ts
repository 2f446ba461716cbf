import { createTransport } from './create-transport.ts'
import { PosthornError, toError } from './errors.ts'
import { createMemoryBroker } from './memory.ts'
import { checkOptions, callback } from './options/check-options.ts'
import { nearestName } from './options/nearest-name.ts'
import { transportRules } from './options/transport-rules.ts'
import type { Transport } from './contract/transport.ts'
import type { TransportOptions } from './contract/transport-options.ts'

/** Which package speaks to which kind of broker, and the name of its factory there. */
const drivers: Readonly<Record<string, { readonly package: string; readonly factory: string }>> = {
  amqp: { package: '@posthorn/rabbitmq', factory: 'rabbitmq' },
  amqps: { package: '@posthorn/rabbitmq', factory: 'rabbitmq' },
  kafka: { package: '@posthorn/kafka', factory: 'kafka' },
  kafkas: { package: '@posthorn/kafka', factory: 'kafka' },
  redis: { package: '@posthorn/redis', factory: 'redis' },
  rediss: { package: '@posthorn/redis', factory: 'redis' },
  sqs: { package: '@posthorn/sqs', factory: 'sqs' },
  servicebus: { package: '@posthorn/azure-service-bus', factory: 'azureServiceBus' },
  sqlite: { package: '@posthorn/sqlite', factory: 'sqlite' },
  postgres: { package: '@posthorn/postgres', factory: 'postgres' },
  postgresql: { package: '@posthorn/postgres', factory: 'postgres' },
}

const schemes = ['memory', ...Object.keys(drivers)]

export interface ConnectOptions extends TransportOptions {
  /**
   * How to load a broker's package. Default: `import(name)` from here; give your own, such as `(name) => import(name)`,
   * where packages see only what they name themselves, or a bundler or test needs it.
   */
  readonly load?: (packageName: string) => Promise<unknown>
}

/**
 * Connects to the broker that the URL names, loading its package when needed: `memory:`, `amqp:`, `amqps:`, `kafka:`,
 * `kafkas:`, `redis:`, `rediss:`, `sqs:`, `servicebus:`, `sqlite:`, `postgres:`, `postgresql:`.
 */
export async function connect(url: string | URL, options: ConnectOptions = {}): Promise<Transport> {
  checkOptions('connect()', options, { ...transportRules, load: callback() })
  const { load = (name: string): Promise<unknown> => import(name), ...transportOptions } = options
  const text = typeof url === 'string' || url instanceof URL ? String(url) : ''
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase()
  if (scheme === 'memory') {
    const broker = createMemoryBroker(options.clock === undefined ? {} : { clock: options.clock })
    return createTransport(broker.driver(), transportOptions)
  }
  const driver = scheme !== undefined && Object.hasOwn(drivers, scheme) ? drivers[scheme] : undefined
  if (driver === undefined) {
    const near = scheme === undefined ? undefined : nearestName(scheme, schemes)
    // The URL itself may hold a password: only its scheme is shown.
    throw new PosthornError(
      'POSTHORN_INVALID_URL',
      `connect() takes a URL of a broker, and got ${scheme === undefined ? 'something without a scheme' : `"${scheme}:"`}. ` +
        `${near === undefined ? '' : `Did you mean "${near}:"? `}Accepted: ${schemes.map((name) => name + ':').join(', ')}.`,
      { phase: 'options' },
    )
  }
  const factory = await loadFactory(load, driver)
  return factory({ url: text, ...transportOptions })
}

type Factory = (options: TransportOptions & { readonly url: string }) => Promise<Transport>

async function loadFactory(
  load: (packageName: string) => Promise<unknown>,
  driver: { readonly package: string; readonly factory: string },
): Promise<Factory> {
  let module: unknown
  try {
    module = await load(driver.package)
  } catch (error) {
    const { message } = toError(error)
    throw new PosthornError(
      'POSTHORN_DRIVER_MISSING',
      `The package for this broker could not be loaded (${message}). Install it: npm install ${driver.package} ` +
        '(its README names the client that goes with it). If it is installed where this package does not see it, pass ' +
        'load: (name) => import(name).',
      { phase: 'options', cause: error },
    )
  }
  const factory = (module as Record<string, unknown> | null)?.[driver.factory]
  if (typeof factory === 'function') return factory as Factory
  throw new PosthornError(
    'POSTHORN_DRIVER_MISSING',
    `${driver.package} has no ${driver.factory}(). Install a version that fits this one of @posthorn/transport.`,
    { phase: 'options' },
  )
}
