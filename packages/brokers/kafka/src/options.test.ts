import { Kafka, logLevel } from 'kafkajs'
import { expect, test } from 'vitest'
import { kafkaDefaults, readOptions } from './options.ts'

const instance = new Kafka({ brokers: ['localhost:9092'], logLevel: logLevel.NOTHING })

test('what is not given has its default', () => {
  const { settings, transport } = readOptions({ url: 'kafka://localhost', namespace: 'shop' })
  expect(settings).toEqual({
    ...kafkaDefaults,
    client: { brokers: ['localhost:9092'], user: undefined },
    tls: false,
    replicas: undefined,
  })
  expect(transport).toEqual({ namespace: 'shop' })
})

test('an instance of kafkajs can be given instead of a URL', () => {
  expect(readOptions({ kafka: instance }).settings.client).toBe(instance)
})

test.each([{}, { url: 'kafka://localhost', kafka: instance }])(
  'exactly one of both is needed: %j',
  (options) => {
    expect(() => readOptions(options)).toThrow('takes either url')
  },
)

test.each([
  ['kafka://a,b:9093', ['a:9092', 'b:9093'], undefined],
  ['kafka://me:p%40ss@a:1', ['a:1'], { name: 'me', password: 'p@ss' }],
  ['kafka://[::1]:9092/', ['[::1]:9092'], undefined],
])('%s is read', (url, brokers, user) => {
  expect(readOptions({ url }).settings.client).toEqual({ brokers, user })
})

test.each(['amqp://a', 'kafka://', 'kafka://a b', 'kafka://secret:%zz@a', 'kafka://a:port'])(
  '%s is refused, without telling a password',
  (url) => {
    expect(() => readOptions({ url })).toThrow(/^(?!.*secret).*cannot be read/)
  },
)

test('an unknown option is an error that names the near one', () => {
  expect(() => readOptions({ url: 'kafka://a', partition: 3 } as never)).toThrow('partitions')
})
