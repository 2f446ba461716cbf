import { beforeEach, describe, expect, test } from 'vitest'
import {
  connectFailed,
  connectionLost,
  createFakeDriver,
  never,
  type FakeDriver,
} from '../../test/fake-driver.ts'
import { createVirtualClock, type VirtualClock } from '../testing/virtual-clock.ts'
import { Session, type SessionOptions } from './session.ts'

let clock: VirtualClock
let driver: FakeDriver
let log: string[]

beforeEach(() => {
  clock = createVirtualClock()
  driver = createFakeDriver()
  log = []
})

function create(changed: Partial<SessionOptions<string>> = {}): Session<string> {
  return new Session({
    driver,
    clock,
    namespace: '',
    connectTimeoutMs: 30_000,
    maxReconnects: Infinity,
    patienceMs: 5_000,
    emit: () => {},
    restore: () => Promise.resolve(),
    ready: () => void log.push('ready'),
    lost: (error) => log.push(`lost: ${error.message}`),
    gaveUp: (error) => log.push(`gave up: ${error.message}`),
    ...changed,
  })
}

async function started(changed: Partial<SessionOptions<string>> = {}): Promise<Session<string>> {
  const session = create(changed)
  await session.supervisor.start()
  return session
}

describe('what is known of the broker', () => {
  test('is nothing before the first connection', () => {
    const session = create()
    expect(() => session.broker).toThrow('There is no connection to fake for now.')
    expect(session.version).toBeUndefined()
    expect(session.writable).toBeUndefined()
  })

  test('outlives the connection', async () => {
    const session = await started()
    driver.connection.host.lost(connectionLost())
    expect(session.connection).toBeUndefined()
    expect(session.broker).toMatchObject({ name: 'fake', version: '1.2.3', native: 'native client' })
  })
})

describe('messages', () => {
  test('may be written while the connection is up, and never while it is set up, blocked or away', async () => {
    const session: Session<string> = create({
      restore: async () => void log.push(`restoring, ${typeof session.writable}`),
    })
    await session.supervisor.start()
    expect(log).toEqual(['restoring, undefined', 'ready'])
    const { host } = driver.connection
    expect(session.writable).toBe(driver.connection)
    host.blocked('no memory')
    expect(session.writable).toBeUndefined()
    expect(session.reason).toBe(', because fake takes no messages for now (no memory)')
    host.blocked(undefined)
    host.unreachable('the cable')
    expect(session.writable).toBeUndefined()
    expect(session.reason).toBe(
      ', because there is no connection to fake (fake is not reached for now: the cable.)',
    )
    host.unreachable(undefined)
    expect(session.writable).toBe(driver.connection)
    expect(session.reason).toBe('')
    expect(log.filter((line) => line === 'ready')).toHaveLength(3)
  })
})

describe('who waits for a connection', () => {
  test('has it at once where it is, blocked or not', async () => {
    const session = await started()
    driver.connection.host.blocked('no memory')
    expect((await session.whenConnected()).connection).toBe(driver.connection)
  })

  test('has it once it is set up and reached, not before', async () => {
    let restored = (): void => {}
    let holdsBack = false
    const session = await started({
      restore: () => (holdsBack ? new Promise((resolve) => (restored = resolve)) : Promise.resolve()),
    })
    holdsBack = true
    driver.connection.host.lost(connectionLost())
    let got: unknown
    void session.whenConnected().then(({ connection }) => (got = connection))
    await clock.advance(1_000)
    expect(driver.connections).toHaveLength(2)
    expect(got).toBeUndefined()
    driver.connection.host.unreachable('the cable')
    restored()
    await clock.advance(0)
    expect(got).toBeUndefined()
    driver.connection.host.unreachable(undefined)
    await clock.advance(0)
    expect(got).toBe(driver.connection)
    expect(clock.pending).toBe(0)
  })

  test('goes on waiting where a new connection is lost while it is set up', async () => {
    let losses = 0
    const session = await started({
      restore: async (link) => {
        if (losses++ === 1) (link.connection as typeof driver.connection).host.lost(connectionLost())
      },
    })
    driver.connection.host.lost(connectionLost())
    const waiting = session.whenConnected()
    await clock.advance(2_000)
    expect((await waiting).connection).toBe(driver.connections[2])
  })

  test('waits as long as a send would, and is told why', async () => {
    const session = await started()
    driver.script.push(
      () => Promise.reject(connectFailed()),
      ...Array.from({ length: 100 }, () => () => Promise.reject(connectFailed())),
    )
    driver.connection.host.lost(connectionLost())
    const waiting = session.whenConnected().catch((error: unknown) => error)
    await clock.advance(5_000)
    expect(await waiting).toMatchObject({
      code: 'POSTHORN_TIMEOUT',
      retryable: true,
      message:
        'No connection to fake within 5000 ms, because there is no connection to fake (Nobody listens.).',
    })
  })

  test('is told when there will be none', async () => {
    const session = await started({ maxReconnects: 1 })
    driver.script.push(() => Promise.reject(connectFailed()))
    driver.connection.host.lost(connectionLost())
    const waiting = session.whenConnected().catch((error: unknown) => error)
    await clock.advance(1_000)
    expect(await waiting).toMatchObject({ code: 'POSTHORN_CONNECT_FAILED', retryable: false })
    await expect(session.whenConnected()).rejects.toBe(session.fatal)
    expect(log.at(-1)).toContain('gave up')
    expect(clock.pending).toBe(0)
  })
})

describe('a question', () => {
  test('is answered by the connection of now', async () => {
    const session = await started()
    expect(await session.ask('plan()', (connection) => connection.plan({}))).toEqual([])
  })

  test('without a connection is refused, with the reason where there will be none', async () => {
    const session = await started({ maxReconnects: 0 })
    const { host } = driver.connection
    const unlucky = create()
    await expect(unlucky.ask('plan()', never)).rejects.toMatchObject({
      code: 'POSTHORN_CONNECTION_LOST',
      retryable: true,
    })
    host.lost(connectionLost())
    await clock.advance(0)
    await expect(session.ask('plan()', never)).rejects.toBe(session.fatal)
  })

  test('that is never answered ends after a while', async () => {
    const session = await started()
    const asking = session.ask('plan()', never).catch((error: unknown) => error)
    await clock.advance(5_000)
    expect(await asking).toMatchObject({
      code: 'POSTHORN_TIMEOUT',
      message: 'fake did not answer plan() within 5000 ms. It may have been done.',
    })
  })

  test('ends with its connection', async () => {
    const session = await started()
    const asking = session.ask('plan()', never).catch((error: unknown) => error)
    const lost = connectionLost()
    driver.connection.host.lost(lost)
    expect(await asking).toBe(lost)
    await clock.advance(1_000)
    expect(clock.pending).toBe(0)
  })

  test('that fails because the connection is about to end, ends with it, so that who asks again does not ask it', async () => {
    const session = await started()
    const { host } = driver.connection
    const asking = session.ask('depth()', () => {
      clock.defer(() => host.lost(connectionLost()))
      return Promise.reject(new Error('The channel is closed.'))
    })
    await expect(asking).rejects.toMatchObject({ code: 'POSTHORN_CONNECTION_LOST' })
    expect(session.supervisor.usable).toBeUndefined()
  })

  test('that the driver answers with an error of its client, or by throwing, is refused with ours', async () => {
    const session = await started()
    const broken = (): never => {
      throw new Error('amqp://me:hunter2@broker is broken')
    }
    for (const call of [broken, async () => broken()]) {
      await expect(session.ask('plan()', call)).rejects.toMatchObject({
        code: 'POSTHORN_BROKER_ERROR',
        message: 'amqp://***@broker is broken',
      })
    }
    expect(clock.pending).toBe(0)
  })
})

test('what a driver tells users of is passed on until its connection ends', async () => {
  const told: string[] = []
  await started({ emit: (name) => told.push(name) })
  const { host } = driver.connection
  host.emit('gap', { source: 'events/billing', scope: '0', missing: 1 })
  host.lost(connectionLost())
  host.emit('gap', { source: 'events/billing', scope: '0', missing: 1 })
  expect(told).toEqual(['connection', 'gap', 'connection'])
})
