import { describe, expect, test } from 'vitest'
import { connect } from './connect.ts'
import { PosthornError } from './errors.ts'
import { createVirtualClock } from './testing/virtual-clock.ts'

const schemes = [
  ['amqp', '@posthorn/rabbitmq', 'rabbitmq'],
  ['amqps', '@posthorn/rabbitmq', 'rabbitmq'],
  ['kafka', '@posthorn/kafka', 'kafka'],
  ['kafkas', '@posthorn/kafka', 'kafka'],
  ['redis', '@posthorn/redis', 'redis'],
  ['rediss', '@posthorn/redis', 'redis'],
  ['sqs', '@posthorn/sqs', 'sqs'],
  ['servicebus', '@posthorn/azure-service-bus', 'azureServiceBus'],
  ['sqlite', '@posthorn/sqlite', 'sqlite'],
  ['postgres', '@posthorn/postgres', 'postgres'],
  ['postgresql', '@posthorn/postgres', 'postgres'],
] as const

async function failure(call: Promise<unknown>): Promise<PosthornError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(PosthornError)
  return error as PosthornError
}

describe('connect', () => {
  test.each(schemes)(
    'of %s: loads %s and calls its %s() with the URL and the options',
    async (scheme, name, factory) => {
      const loaded: string[] = []
      const given: unknown[] = []
      const load = (packageName: string): Promise<unknown> => {
        loaded.push(packageName)
        return Promise.resolve({
          [factory]: (options: unknown) => (given.push(options), Promise.resolve('the transport')),
        })
      }
      const url = `${scheme}://me:secret@host/path?x=1`
      expect(await connect(url, { load, maxInFlight: 5 })).toBe('the transport')
      expect(await connect(new URL(url), { load })).toBe('the transport')
      expect(await connect(url.replace(scheme, scheme.toUpperCase()), { load })).toBe('the transport')
      expect(loaded).toEqual([name, name, name])
      expect(given[0]).toEqual({ url, maxInFlight: 5 })
    },
  )

  test('of memory: makes a broker of its own, with the clock given', async () => {
    const clock = createVirtualClock()
    const transport = await connect('memory:', { clock, namespace: 'shop' })
    expect(transport.broker).toBe('memory')
    expect(transport.clock).toBe(clock)
    await transport.send('orders', { data: 1 })
    const another = await connect('memory:')
    await expect(another.deadLetters({ topic: 'a', group: 'b' }).count()).rejects.toMatchObject({
      code: 'POSTHORN_TOPOLOGY_MISSING',
    })
    await Promise.all([transport.close(), another.close()])
  })

  test.each([
    'mqtt://me:hunter2@host',
    'hunter2',
    '',
    '//hunter2',
    'constructor:hunter2',
    '__proto__:hunter2',
    undefined,
    null,
    5,
    { href: 'amqp://hunter2' },
    Symbol('hunter2'),
  ])('of %o is refused, listing what is accepted and showing nothing of it', async (url) => {
    const error = await failure(connect(url as never))
    expect(error.code).toBe('POSTHORN_INVALID_URL')
    expect(error.message).toContain(
      'Accepted: memory:, amqp:, amqps:, kafka:, kafkas:, redis:, rediss:, sqs:, servicebus:, sqlite:, postgres:, postgresql:.',
    )
    expect(error.message).not.toContain('hunter2')
  })

  test('of a scheme that is nearly one suggests it', async () => {
    const error = await failure(connect('kafak://localhost'))
    expect(error.message).toContain('Did you mean "kafka:"?')
  })

  test('of a package that cannot be loaded says how to install it, and why', async () => {
    const error = await failure(
      connect('kafka://host', { load: () => Promise.reject(new Error('no such package')) }),
    )
    expect(error.code).toBe('POSTHORN_DRIVER_MISSING')
    expect(error.message).toContain('(no such package). Install it: npm install @posthorn/kafka')
    expect(error.cause).toEqual(new Error('no such package'))
  })

  test('of a package without the factory says that it does not fit', async () => {
    for (const module of [{}, null, undefined, { kafka: 5 }]) {
      const error = await failure(connect('kafka://host', { load: () => Promise.resolve(module) }))
      expect(error.message).toContain('@posthorn/kafka has no kafka(). Install a version that fits')
    }
  })

  test('loads the package by its name where nothing else is said', async () => {
    const error = await failure(connect('servicebus://host'))
    expect(error.code).toBe('POSTHORN_DRIVER_MISSING')
    expect((error.cause as { readonly code?: unknown }).code).toMatch(/ERR_MODULE_NOT_FOUND/)
  })

  test('refuses an option that does not exist before it loads anything', async () => {
    let loads = 0
    const load = (): Promise<unknown> => Promise.resolve(loads++)
    expect((await failure(connect('kafka://host', { load, maxInflight: 5 } as never))).message).toContain(
      'Did you mean "maxInFlight"?',
    )
    expect((await failure(connect('kafka://host', { load: 'kafka' } as never))).message).toContain(
      'connect().load',
    )
    expect(loads).toBe(0)
  })
})
