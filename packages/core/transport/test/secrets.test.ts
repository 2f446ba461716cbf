import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connectionLost, createFakeDriver, FakeConnection, idleConsumer } from './fake-driver.ts'
import {
  connect,
  createTransport,
  type Transport,
  type TransportEvents,
  type TransportOptions,
} from '../src/index.ts'
import { createVirtualClock } from '../src/testing.ts'
import type { DeliverySink, DriverConsumer } from '../src/contract/driver.ts'

const password = 'hunter2'
const url = `amqp://me:${password}@broker.example:5672/shop`

const eventNames: readonly (keyof TransportEvents)[] = [
  'connection',
  'returned',
  'settlementFailed',
  'leaseLost',
  'deadLetterFailed',
  'stalled',
  'rebuilt',
  'gap',
  'callbackFailed',
]

/** An error as client libraries make them: with the whole command, and the address with its password in the message. */
function clientError(): Error {
  const error = new Error(`cannot reach ${url}`)
  return Object.assign(error, {
    code: 'ECONNREFUSED',
    address: url,
    command: { name: 'AUTH', args: [password] },
  })
}

/** Everything of a value that a log could show. */
function show(value: unknown): string {
  const shown = inspect(value, {
    depth: Infinity,
    showHidden: true,
    getters: true,
    maxArrayLength: null,
    maxStringLength: null,
  })
  return shown + String(value) + (value instanceof Error ? String(value.stack) : '') + JSON.stringify(value)
}

const clock = createVirtualClock()
let seen: unknown[]
let transport: Transport | undefined

beforeEach(() => {
  seen = []
  transport = undefined
})

afterEach(async () => {
  await transport?.close({ deadlineMs: 0 })
})

/** A driver that holds its password where a log would find it, and hides nothing by itself. */
function leakyDriver(): ReturnType<typeof createFakeDriver> {
  const driver = Object.assign(createFakeDriver(), { url, options: { password } })
  driver.prepare = (connection) =>
    Object.assign(connection, { url, client: { url, password }, native: { url, password } })
  return driver
}

function listen(to: Transport): void {
  for (const name of eventNames) to.on(name, (event) => void seen.push([name, event]))
}

async function error(call: Promise<unknown>): Promise<void> {
  seen.push(
    await call.then(
      () => {
        throw new Error('It must fail.')
      },
      (reason: unknown) => reason,
    ),
  )
}

/** Where the password shows, if it does. */
function leaks(): readonly string[] {
  expect(seen.length).toBeGreaterThan(0)
  return seen.map(show).filter((shown) => shown.includes(password))
}

describe('a password is not shown', () => {
  test('by a transport, its health or its consumers', async () => {
    const driver = leakyDriver()
    transport = await createTransport(driver, { clock })
    listen(transport)
    const consumer = await transport.consume('orders', () => {})
    const inbox = await transport.inbox(() => {})
    const letters = transport.deadLetters('orders')
    seen.push(transport, [transport], transport.health(), consumer, consumer.health(), inbox, letters)
    expect(inspect(transport)).toBe(
      'Transport {"broker":"fake","state":"up","publishing":0,"consumers":["orders","inbox"]}',
    )
    expect(leaks()).toEqual([])
  })

  test('by the error and events of a broker that cannot be reached', async () => {
    const driver = leakyDriver()
    driver.script.push(
      () => Promise.reject(clientError()),
      () => {
        throw clientError()
      },
      async (host) => {
        host.lost(connectionLost('gone'))
        return new FakeConnection(host)
      },
      ...Array.from({ length: 500 }, () => () => Promise.reject(clientError())),
    )
    const connecting = error(createTransport(driver, { clock, connectTimeoutMs: 2_000 }))
    await clock.advance(2_000)
    await connecting
    expect(leaks()).toEqual([])
    expect(show(seen)).toContain('cannot reach amqp://***@broker.example:5672/shop')
  })

  test('by anything that fails on a connection', async () => {
    const driver = leakyDriver()
    const broken = (): never => {
      throw clientError()
    }
    driver.prepare = (connection) =>
      Object.assign(connection, {
        url,
        onPublish: (call: { reject(reason: unknown): void }) => call.reject(clientError()),
        onDeclare: async () => broken(),
        onPlan: broken,
        onDepth: broken,
        onCount: async () => broken(),
        onOpenDeadLetters: broken,
        onConsume: async () => broken(),
        onClose: async () => broken(),
      })
    transport = await createTransport(driver, { clock, topology: 'none' })
    listen(transport)
    await error(transport.send('orders', { data: 1 }))
    await error(transport.publishMany('events', [{ data: 1 }, { data: 2 }]))
    await error(transport.declare({ queues: [{ name: 'orders' }] }, { mode: 'create' }))
    await error(transport.plan({}))
    await error(transport.depth('orders'))
    await error(transport.deadLetters('orders').count())
    await error(transport.deadLetters('orders').page())
    await error(transport.consume('orders', () => {}))
    driver.connection.onPublish = (call) => call.answer([clientError()] as never)
    await error(transport.send('orders', { data: 1 }))
    expect(leaks()).toEqual([])
  })

  test('by what is told of sends that cannot be declared, and of connections that are lost', async () => {
    const driver = leakyDriver()
    transport = await createTransport(driver, { clock })
    listen(transport)
    driver.connection.onDeclare = () => Promise.reject(clientError())
    const undeclared = error(transport.send('orders', { data: 1 }, { timeoutMs: 100 }))
    await clock.advance(100)
    await undeclared
    driver.connection.onPublish = () => {}
    driver.connection.onDeclare = () => Promise.resolve()
    const unanswered = error(transport.send('bills', { data: 1 }))
    await clock.advance(0)
    driver.script.push(...Array.from({ length: 500 }, () => () => Promise.reject(clientError())))
    driver.connection.host.lost(connectionLost('gone'))
    const unsent = error(transport.send('bills', { data: 1 }, { timeoutMs: 1_000 }))
    const waiting = error(transport.plan({}))
    await clock.advance(40_000)
    await Promise.all([unanswered, unsent, waiting])
    seen.push(transport.health())
    expect(leaks()).toEqual([])
  })

  test('by a consumer whose settlements and set-up fail', async () => {
    const driver = leakyDriver()
    let sink: DeliverySink | undefined
    const consumer: DriverConsumer & { readonly url: string } = {
      ...idleConsumer(),
      url,
      settle: () => Promise.reject(clientError()),
    }
    driver.prepare = (connection) => {
      connection.onConsume = (_source, _request, given) => {
        sink = given
        return Promise.resolve(consumer)
      }
    }
    transport = await createTransport(driver, { clock })
    listen(transport)
    seen.push(await transport.consume('orders', () => {}))
    driver.connection.onConsume = () => Promise.reject(clientError())
    sink?.ended(connectionLost('gone'))
    await clock.advance(60_000)
    seen.push(transport.health())
    expect(leaks()).toEqual([])
  })

  test('by errors about options and URLs', async () => {
    await error(connect(`mqtt://me:${password}@broker`))
    await error(connect(password))
    await error(connect(url, { load: () => Promise.reject(new Error('not installed')) }))
    const options: TransportOptions = { url, password } as never
    await error(createTransport(createFakeDriver(), options))
    await error(connect(url, { url, pasword: password } as never))
    expect(leaks()).toEqual([])
  })
})
