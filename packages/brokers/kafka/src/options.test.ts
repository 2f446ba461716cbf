import * as platformatic from '@platformatic/kafka'
import { Kafka, logLevel } from 'kafkajs'
import { expect, test } from 'vitest'
import { kafkaDefaults, readOptions } from './options.ts'

const instance = new Kafka({ brokers: ['localhost:9092'], logLevel: logLevel.NOTHING })

test('what is not given has its default', () => {
  const { settings, transport } = readOptions({ url: 'kafka://localhost', namespace: 'shop' })
  const { sasl, ...others } = kafkaDefaults
  expect(settings).toEqual({
    ...others,
    client: {
      url: { brokers: [{ host: 'localhost', port: 9092 }], isSecure: false, user: undefined },
      tls: {},
      sasl,
      library: undefined,
    },
    replicas: undefined,
  })
  expect(transport).toEqual({ namespace: 'shop' })
})

test('an instance of kafkajs can be given instead of a URL', () => {
  expect(readOptions({ kafka: instance }).settings.client).toEqual({ kafka: instance })
})

test.each([{}, { url: 'kafka://localhost', kafka: instance }])(
  'exactly one of both is needed: %j',
  (options) => {
    expect(() => readOptions(options)).toThrow('takes either url')
  },
)

test.each([
  ['kafka://a,b:9093', ['a:9092', 'b:9093'], false, undefined],
  ['kafka://me:p%40ss@a:1', ['a:1'], false, { name: 'me', password: 'p@ss' }],
  ['kafkas://me:x@a', ['a:9092'], true, { name: 'me', password: 'x' }],
  ['kafka://[::1]:9092/', ['::1:9092'], false, undefined],
])('%s is read', (url, brokers, isSecure, user) => {
  const { client } = readOptions({ url }).settings
  if (!('url' in client)) throw new Error('It has no URL.')
  expect(client.url.brokers.map(({ host, port }) => `${host}:${port}`)).toEqual(brokers)
  expect(client.url).toMatchObject({ isSecure, user })
})

test('the module of another client is taken, and anything else refused', () => {
  const url = 'kafka://a'
  expect(readOptions({ url, client: platformatic }).settings.client).toMatchObject({ library: platformatic })
  expect(() => readOptions({ url, client: {} as never })).toThrow('the module @platformatic/kafka')
})

test.each([
  [{ url: 'kafka://a', tls: {} }, 'begins with kafkas:'],
  [{ url: 'kafka://a', sasl: 'plain' as const }, 'needs a user and a password'],
  [{ kafka: instance, tls: {} }, 'has its own'],
  [{ kafka: instance, client: platformatic }, 'has its own'],
])('what would have no effect is refused: %#', (options, reason) => {
  expect(() => readOptions(options)).toThrow(reason)
})

test.each([
  'amqp://a',
  'kafka://',
  'kafka://a b',
  'kafka://secret:%zz@a',
  'kafka://a:port',
  'kafka://a:0',
  'kafka://a,b:65536',
])('%s is refused, without telling a password', (url) => {
  expect(() => readOptions({ url })).toThrow(/^(?!.*secret).*cannot be read/)
})

test.each([999, 2 ** 31, Number.NaN, '10s'])('a session of %s is refused', (sessionTimeoutMs) => {
  expect(() => readOptions({ url: 'kafka://a', sessionTimeoutMs: sessionTimeoutMs as number })).toThrow(
    'from 1,000 to 2,147,483,647',
  )
})

test('an unknown option is an error that names the near one', () => {
  expect(() => readOptions({ url: 'kafka://a', partition: 3 } as never)).toThrow('partitions')
})

test.each(['shop.', '.shop', 'shop..a'])(
  'the namespace %s is refused, since dots separate it',
  (namespace) => {
    expect(() => readOptions({ url: 'kafka://a', namespace })).toThrow(
      `"${namespace}" cannot be a name on Kafka`,
    )
  },
)
