import { beforeEach, describe, expect, test } from 'vitest'
import {
  connectFailed,
  connectionLost,
  createFakeDriver,
  FakeConnection,
  never,
  type FakeDriver,
} from '../../test/fake-driver.ts'
import type { DriverHost } from '../contract/driver.ts'
import type { ConnectionState } from '../contract/health.ts'
import type { PosthornError } from '../errors.ts'
import { createVirtualClock, type VirtualClock } from '../testing/virtual-clock.ts'
import { Supervisor, type SupervisorOptions } from './supervisor.ts'

let clock: VirtualClock
let driver: FakeDriver
let states: ConnectionState[]
let log: string[]

beforeEach(() => {
  clock = createVirtualClock()
  driver = createFakeDriver()
  states = []
  log = []
})

function supervise(changed: Partial<SupervisorOptions<string>> = {}): Supervisor<string> {
  return new Supervisor({
    driver,
    clock,
    namespace: 'shop',
    connectTimeoutMs: 30_000,
    maxReconnects: Infinity,
    emit: (name, event) => {
      if (name === 'connection') states.push((event as { readonly state: ConnectionState }).state)
    },
    up: async () => void log.push('up'),
    down: (error) => log.push(`down: ${error.message}`),
    changed: () => log.push('changed'),
    gaveUp: (error) => log.push(`gave up: ${error.message}`),
    ...changed,
  })
}

async function started(changed: Partial<SupervisorOptions<string>> = {}): Promise<Supervisor<string>> {
  const supervisor = supervise(changed)
  await supervisor.start()
  return supervisor
}

/** The error of a promise that must reject, and `undefined` while it has not. */
function watch(promise: Promise<unknown>): {
  readonly error: PosthornError | undefined
  readonly isDone: boolean
} {
  const seen: { error: PosthornError | undefined; isDone: boolean } = { error: undefined, isDone: false }
  promise.then(
    () => (seen.isDone = true),
    (error: unknown) => {
      seen.error = error as PosthornError
      seen.isDone = true
    },
  )
  return seen
}

const stall = (): Promise<FakeConnection> => never()
const refuse = (): Promise<FakeConnection> => Promise.reject(connectFailed())

describe('the first connection', () => {
  test('is set up before it counts as up', async () => {
    const supervisor = supervise({
      up: (link) => {
        log.push(`${supervisor.state} with ${String(link.connection?.native)}`)
        return Promise.resolve()
      },
    })
    await supervisor.start()
    expect(log).toEqual(['connecting with native client', 'changed'])
    expect(states).toEqual(['up'])
    expect(supervisor.usable?.connection).toBe(driver.connection)
    expect(clock.pending).toBe(0)
  })

  test('gives the driver the clock, the namespace and a signal', async () => {
    await started()
    expect(driver.hosts[0]).toMatchObject({ clock, namespace: 'shop' })
    expect(driver.hosts[0]?.signal.aborted).toBe(false)
  })

  test('is tried again while trying may help', async () => {
    driver.script.push(refuse, refuse)
    const starting = watch(supervise().start())
    await clock.advance(1_000)
    expect(starting).toEqual({ isDone: true, error: undefined })
    expect(driver.hosts).toHaveLength(3)
  })

  test('is not tried again where that cannot help', async () => {
    driver.script.push(() => Promise.reject(connectFailed('Wrong password.', false)))
    const supervisor = supervise()
    await expect(supervisor.start()).rejects.toMatchObject({ code: 'POSTHORN_ACCESS_DENIED' })
    expect(supervisor.state).toBe('down')
    expect(driver.hosts).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })

  test('is given up in time, with the last error, however many tries fit in', async () => {
    const supervisor = supervise({ connectTimeoutMs: 5_000 })
    driver.script.push(...Array.from({ length: 1_000 }, () => refuse))
    const starting = watch(supervisor.start())
    await clock.advance(5_000)
    expect(starting.error).toMatchObject({ code: 'POSTHORN_CONNECT_FAILED', message: 'Nobody listens.' })
    expect(supervisor.state).toBe('down')
    expect(clock.pending).toBe(0)
  })

  test.each([1, 2, 3, 4, 5, 6])(
    'has one more try just before its time ends, however long the next wait would be (seed %i)',
    async (seed) => {
      clock = createVirtualClock({ seed })
      const backAt = clock.now() + 28_000
      const connect = (host: DriverHost): Promise<FakeConnection> =>
        clock.now() < backAt ? refuse() : Promise.resolve(new FakeConnection(host))
      driver.script.push(...Array.from({ length: 1_000 }, () => connect))
      const starting = watch(supervise().start())
      await clock.advance(30_000)
      expect(starting).toEqual({ isDone: true, error: undefined })
    },
  )

  test('a try that hangs is given up after 10 s, its signal aborted, and the next one made', async () => {
    driver.script.push(stall)
    const starting = watch(supervise().start())
    await clock.advance(9_999)
    expect(driver.hosts[0]?.signal.aborted).toBe(false)
    await clock.advance(1_000)
    expect(driver.hosts[0]?.signal.aborted).toBe(true)
    expect(starting.isDone).toBe(true)
    expect(driver.hosts).toHaveLength(2)
  })

  test('a try that hangs ends with the time for all tries', async () => {
    driver.script.push(stall)
    const starting = watch(supervise({ connectTimeoutMs: 3_000 }).start())
    await clock.advance(3_000)
    expect(starting.error?.message).toBe(
      'fake did not answer within 3000 ms. Check the address, and that the broker is up.',
    )
    expect(clock.pending).toBe(0)
  })

  test('one that comes after its try was given up is closed, also when closing fails', async () => {
    let late: (connection: FakeConnection) => void = () => {}
    driver.script.push(() => new Promise((resolve) => (late = resolve)))
    const supervisor = supervise()
    const starting = supervisor.start()
    await clock.advance(11_000)
    await starting
    const connection = new FakeConnection(driver.hosts[0]!)
    connection.onClose = () => Promise.reject(new Error('it is broken'))
    late(connection)
    await clock.advance(0)
    expect(connection.closes).toBe(1)
    expect(supervisor.usable?.connection).toBe(driver.connections[0])
  })

  test('a driver that throws, or rejects with an error of its client, is told without what may be secret', async () => {
    const error = new Error('no way to amqp://me:hunter2@broker')
    driver.script.push(() => {
      throw error
    })
    driver.script.push(() => Promise.reject(error))
    const supervisor = supervise({ connectTimeoutMs: 1 })
    const starting = watch(supervisor.start())
    await clock.advance(1)
    expect(starting.error).toMatchObject({
      code: 'POSTHORN_CONNECT_FAILED',
      message: 'no way to amqp://***@broker',
      retryable: true,
    })
  })
})

describe('a connection that is lost', () => {
  test('is replaced, and whoever used it is told once', async () => {
    const supervisor = await started()
    const first = driver.connection
    log.length = 0
    await clock.advance(60_000)
    first.host.lost(connectionLost())
    expect(supervisor).toMatchObject({
      state: 'connecting',
      usable: undefined,
      current: undefined,
      since: clock.now(),
    })
    expect(supervisor.reason).toBe('The socket is gone.')
    first.host.lost(connectionLost('again'))
    await clock.advance(1_000)
    expect(log).toEqual(['down: The socket is gone.', 'up', 'changed'])
    expect(states).toEqual(['up', 'connecting', 'up'])
    expect(driver.connections).toHaveLength(2)
    expect(supervisor).toMatchObject({ error: undefined, reason: undefined })
  })

  test('is replaced whatever its end was, which may be an error of a client', async () => {
    const supervisor = await started()
    driver.connection.host.lost(connectFailed('An administrator closed it.', false))
    expect(supervisor.error).toMatchObject({ code: 'POSTHORN_ACCESS_DENIED', retryable: true })
    await clock.advance(1_000)
    driver.connection.host.lost(new Error('ECONNRESET at amqp://me:hunter2@broker') as never)
    expect(supervisor.error).toMatchObject({
      code: 'POSTHORN_CONNECTION_LOST',
      message: 'ECONNRESET at amqp://***@broker',
    })
    await clock.advance(1_000)
    expect(supervisor.state).toBe('up')
  })

  test('is closed, so that nothing of it lingers', async () => {
    await started()
    driver.connection.host.lost(connectionLost())
    expect(driver.connections[0]?.closes).toBe(1)
  })

  test('is not heard any more', async () => {
    const supervisor = await started()
    const first = driver.connection
    first.host.lost(connectionLost())
    await clock.advance(1_000)
    first.host.blocked('full')
    first.host.unreachable('cable')
    first.host.lost(connectionLost())
    expect(supervisor.state).toBe('up')
    expect(driver.connections).toHaveLength(2)
  })

  test('is waited for with growing, random waits while the broker stays away', async () => {
    await started()
    await clock.advance(60_000)
    const triedAt: number[] = []
    const note = (): Promise<FakeConnection> => {
      triedAt.push(clock.now())
      return refuse()
    }
    driver.script.push(...Array.from({ length: 40 }, () => note))
    const lostAt = clock.now()
    driver.connection.host.lost(connectionLost())
    await clock.advance(400_000)
    const waits = triedAt.map((at, index) => at - (triedAt[index - 1] ?? lostAt))
    for (const [index, wait] of waits.entries())
      expect(wait).toBeLessThanOrEqual(Math.min(30_000, 100 * 2 ** index))
    expect(Math.max(...waits.slice(9))).toBeGreaterThan(15_000)
    expect(new Set(waits).size).toBeGreaterThan(waits.length / 2)
  })

  test('again and again, right after it came up, is not stormed', async () => {
    driver.prepare = (connection, index) => {
      if (index > 0) clock.setTimer(() => connection.host.lost(connectionLost()), 1)
    }
    await started()
    await clock.advance(60_000)
    driver.connection.host.lost(connectionLost())
    await clock.advance(60_000)
    // Waits of 100 ms at most would be some 1,200 of them.
    expect(driver.connections.length).toBeLessThan(30)
  })

  test('is waited for briefly once it has held for a while', async () => {
    const supervisor = await started()
    driver.script.push(...Array.from({ length: 8 }, () => refuse))
    driver.connection.host.lost(connectionLost())
    await clock.runUntil(() => supervisor.state === 'up')
    await clock.advance(10_000)
    driver.connection.host.lost(connectionLost())
    await clock.advance(100)
    expect(supervisor.state).toBe('up')
  })

  test('is given up after maxReconnects tries', async () => {
    const supervisor = await started({ maxReconnects: 2 })
    driver.script.push(refuse, refuse, refuse)
    driver.connection.host.lost(connectionLost())
    await clock.advance(10_000)
    expect(driver.hosts).toHaveLength(3)
    expect(supervisor.state).toBe('down')
    expect(supervisor.error).toMatchObject({ code: 'POSTHORN_CONNECT_FAILED', retryable: false })
    expect(log.at(-1)).toMatch(
      /^gave up: The connection to fake is gone, and 2 tries .* The last error: Nobody listens\./,
    )
    expect(clock.pending).toBe(0)
  })

  test('is given up at once with maxReconnects 0', async () => {
    const supervisor = await started({ maxReconnects: 0 })
    driver.connection.host.lost(connectionLost())
    await clock.advance(0)
    expect(supervisor.state).toBe('down')
    expect(driver.hosts).toHaveLength(1)
  })

  test('is given up when connecting anew cannot help', async () => {
    const supervisor = await started()
    driver.script.push(() => Promise.reject(connectFailed('The password was changed.', false)))
    driver.connection.host.lost(connectionLost())
    await clock.advance(10_000)
    expect(supervisor.state).toBe('down')
    expect(log.at(-1)).toBe('gave up: The password was changed.')
    expect(driver.hosts).toHaveLength(2)
  })

  test('while another was meant to replace it, hangs nothing', async () => {
    const supervisor = await started()
    driver.script.push(stall)
    driver.connection.host.lost(connectionLost())
    await clock.advance(12_000)
    expect(supervisor.state).toBe('up')
  })
})

describe('a connection that ends while it is set up', () => {
  test('is replaced by one, not by two', async () => {
    let isFirst = true
    const supervisor = supervise({
      up: async (link) => {
        if (!isFirst) return
        isFirst = false
        const { host } = link.connection as FakeConnection
        host.blocked('full')
        host.lost(connectionLost())
      },
    })
    const starting = supervisor.start()
    await clock.advance(60_000)
    await starting
    expect(driver.connections).toHaveLength(2)
    expect(supervisor.state).toBe('up')
    expect(states).toEqual(['up'])
    expect(log).toEqual(['down: The socket is gone.', 'changed'])
  })

  test('ends the set-up, though that waits for an answer that will never come', async () => {
    let isFirst = true
    const supervisor = supervise({ up: () => (isFirst ? never() : Promise.resolve()) })
    const starting = supervisor.start()
    await clock.advance(0)
    isFirst = false
    driver.connection.host.lost(connectionLost())
    await clock.advance(1_000)
    await starting
    expect(driver.connections).toHaveLength(2)
    expect(driver.connections[0]?.closes).toBe(1)
  })

  test('in the very moment in which it comes up, is replaced', async () => {
    for (let microtasks = 0; microtasks < 12; microtasks++) {
      driver = createFakeDriver()
      let isFirst = true
      const supervisor = supervise({
        up: async (link) => {
          if (!isFirst) return
          isFirst = false
          const { host } = link.connection as FakeConnection
          let later = Promise.resolve()
          for (let count = 0; count < microtasks; count++) later = later.then(() => {})
          void later.then(() => host.lost(connectionLost()))
        },
      })
      const starting = supervisor.start()
      await clock.advance(60_000)
      await starting
      expect(driver.connections).toHaveLength(2)
      expect(supervisor.usable?.connection).toBe(driver.connection)
    }
  })

  test('before the driver has handed it over, is not used', async () => {
    driver.script.push((host) => {
      host.lost(connectionLost())
      return Promise.resolve(new FakeConnection(host))
    })
    const starting = supervise().start()
    await clock.advance(1_000)
    await starting
    expect(log).toEqual(['up', 'changed'])
    expect(driver.connections).toHaveLength(2)
    expect(driver.connections[0]?.closes).toBe(1)
  })
})

describe('a set-up', () => {
  test('that fails closes its connection and is tried again on another, whatever the error says', async () => {
    let failures = 2
    const supervisor = supervise({
      up: () => (failures-- > 0 ? Promise.reject(connectFailed('It differs.', false)) : Promise.resolve()),
    })
    clock.random = () => 0.5
    const starting = supervisor.start()
    await clock.advance(0)
    expect(supervisor.current).toBeUndefined()
    driver.connection.host.lost(connectionLost('too late'))
    await clock.advance(2_000)
    await starting
    expect(driver.connections.map(({ closes }) => closes)).toEqual([1, 1, 0])
    expect(log).toEqual(['down: It differs.', 'down: It differs.', 'changed'])
  })

  test('that hangs is given up after 30 s, and its connection closed', async () => {
    let isFirst = true
    const supervisor = supervise({
      up: () => {
        const wasFirst = isFirst
        isFirst = false
        return wasFirst ? never() : Promise.resolve()
      },
      connectTimeoutMs: 120_000,
    })
    const starting = supervisor.start()
    await clock.advance(29_999)
    expect(driver.connections).toHaveLength(1)
    await clock.advance(1_000)
    await starting
    expect(driver.connections.map(({ closes }) => closes)).toEqual([1, 0])
    expect(log[0]).toContain('Setting up a new connection to fake took longer than 30000 ms')
  })
})

describe('a connection that is there and', () => {
  test('is blocked says so, and why, until it is not', async () => {
    const supervisor = await started()
    driver.connection.host.blocked('no memory')
    expect(supervisor).toMatchObject({ state: 'blocked', reason: 'no memory', error: undefined })
    expect(supervisor.usable).toBeDefined()
    driver.connection.host.blocked('no disk')
    expect(supervisor.reason).toBe('no disk')
    driver.connection.host.blocked(undefined)
    expect(supervisor).toMatchObject({ state: 'up', reason: undefined })
    expect(states).toEqual(['up', 'blocked', 'up'])
  })

  test('is not reached says so, and why, until it is', async () => {
    const supervisor = await started()
    driver.connection.host.unreachable('the cable')
    expect(supervisor).toMatchObject({ state: 'connecting', usable: undefined })
    expect(supervisor.current).toBeDefined()
    expect(supervisor.reason).toBe('fake is not reached for now: the cable.')
    driver.connection.host.unreachable(undefined)
    expect(supervisor).toMatchObject({ state: 'up', error: undefined })
    expect(driver.connections).toHaveLength(1)
  })

  test('says why without what is secret', async () => {
    const supervisor = await started()
    driver.connection.host.blocked('no memory at amqp://me:hunter2@broker')
    expect(supervisor.reason).toBe('no memory at amqp://***@broker')
    driver.connection.host.unreachable('amqp://me:hunter2@broker is silent')
    expect(supervisor.reason).toContain('amqp://***@broker is silent')
  })

  test('is blocked and not reached is blocked when it is reached again', async () => {
    const supervisor = await started()
    driver.connection.host.blocked('no memory')
    driver.connection.host.unreachable('the cable')
    expect(supervisor.state).toBe('connecting')
    driver.connection.host.unreachable(undefined)
    expect(supervisor.state).toBe('blocked')
  })

  test('is not reached any more, and blocked no more, is still not reached', async () => {
    const supervisor = await started()
    driver.connection.host.blocked('no memory')
    driver.connection.host.unreachable('the cable')
    driver.connection.host.blocked(undefined)
    expect(supervisor.state).toBe('connecting')
  })

  test('was blocked or not reached while it was set up is so when it is', async () => {
    const during = async (what: (host: FakeConnection['host']) => void): Promise<ConnectionState> => {
      const supervisor = await started({ up: async (link) => what((link.connection as FakeConnection).host) })
      return supervisor.state
    }
    expect(await during((host) => host.blocked('no memory'))).toBe('blocked')
    expect(await during((host) => host.unreachable('the cable'))).toBe('connecting')
    expect(await during((host) => (host.unreachable('the cable'), host.unreachable(undefined)))).toBe('up')
  })

  test('is lost while it is not reached is replaced', async () => {
    const supervisor = await started()
    driver.connection.host.unreachable('the cable')
    driver.connection.host.lost(connectionLost())
    await clock.advance(1_000)
    expect(supervisor.state).toBe('up')
    expect(driver.connections).toHaveLength(2)
    expect(log).toContain('down: The socket is gone.')
  })

  test('does not do its work can be replaced', async () => {
    const supervisor = await started()
    supervisor.replace(connectionLost('It does not answer.'))
    supervisor.replace(connectionLost('It does not answer.'))
    await clock.advance(1_000)
    expect(driver.connections.map(({ closes }) => closes)).toEqual([1, 0])
    expect(log).toEqual(['up', 'changed', 'down: It does not answer.', 'up', 'changed'])
  })
})

describe('closing', () => {
  const over = connectFailed('The transport is closed.', false)

  test('closes the connection and is told to nobody but as an event', async () => {
    const supervisor = await started()
    await supervisor.close(over, 1_000)
    expect(driver.connection.closes).toBe(1)
    expect(states).toEqual(['up', 'closed'])
    expect(supervisor).toMatchObject({
      state: 'closed',
      current: undefined,
      usable: undefined,
      error: undefined,
    })
    expect(log).toEqual(['up', 'changed'])
    expect(clock.pending).toBe(0)
  })

  test('waits for a connection that does not close no longer than it may', async () => {
    const supervisor = await started()
    driver.connection.onClose = never
    const closing = watch(supervisor.close(over, 1_000))
    await clock.advance(999)
    expect(closing.isDone).toBe(false)
    await clock.advance(1)
    expect(closing).toEqual({ isDone: true, error: undefined })
  })

  test('does not fail where the connection fails to close', async () => {
    const supervisor = await started()
    driver.connection.onClose = () => Promise.reject(new Error('it is broken'))
    await supervisor.close(over, 1_000)
    expect(supervisor.state).toBe('closed')
  })

  test('between two tries ends the wait, and nothing is tried any more', async () => {
    const supervisor = await started()
    driver.connection.host.lost(connectionLost())
    await supervisor.close(over, 1_000)
    await clock.advance(100_000)
    expect(driver.hosts).toHaveLength(1)
    expect(clock.pending).toBe(0)
    expect(supervisor.state).toBe('closed')
  })

  test('during a try ends it, and closes what comes of it later', async () => {
    const supervisor = await started()
    let late: (connection: FakeConnection) => void = () => {}
    driver.script.push(() => new Promise((resolve) => (late = resolve)))
    driver.connection.host.lost(connectionLost())
    await clock.advance(1_000)
    await supervisor.close(over, 1_000)
    expect(driver.hosts[1]?.signal.aborted).toBe(true)
    expect(clock.pending).toBe(0)
    const connection = new FakeConnection(driver.hosts[1]!)
    late(connection)
    await clock.advance(100_000)
    expect(connection.closes).toBe(1)
    expect(driver.hosts).toHaveLength(2)
    expect(states).toEqual(['up', 'connecting', 'closed'])
  })

  test('during a set-up ends it, and closes its connection', async () => {
    let isFirst = true
    const supervisor = await started({
      up: () => {
        const wasFirst = isFirst
        isFirst = false
        return wasFirst ? Promise.resolve() : never()
      },
    })
    driver.connection.host.lost(connectionLost())
    await clock.advance(1_000)
    await supervisor.close(over, 1_000)
    await clock.advance(100_000)
    expect(driver.connections[1]?.closes).toBe(1)
    expect(driver.hosts).toHaveLength(2)
    expect(clock.pending).toBe(0)
    expect(log.filter((line) => line.startsWith('down'))).toEqual(['down: The socket is gone.'])
  })

  test('makes what the driver says later of no account', async () => {
    const supervisor = await started()
    const { host } = driver.connection
    await supervisor.close(over, 1_000)
    host.lost(connectionLost())
    host.blocked('full')
    await clock.advance(10_000)
    expect(supervisor.state).toBe('closed')
    expect(driver.hosts).toHaveLength(1)
  })

  test('before the first connection is there ends it, in a try or between two', async () => {
    for (const [script, ms] of [
      [stall, 5_000],
      [refuse, 0],
    ] as const) {
      driver = createFakeDriver()
      driver.script.push(script)
      clock.random = () => 0.5
      const supervisor = supervise()
      const starting = watch(supervisor.start())
      await clock.advance(ms)
      await supervisor.close(over, 1_000)
      await clock.advance(100_000)
      expect(starting.error).toBe(over)
      expect(driver.hosts).toHaveLength(1)
      expect(supervisor.state).toBe('closed')
      expect(clock.pending).toBe(0)
    }
  })

  test('after it has been given up is a change of state, no more', async () => {
    const supervisor = await started({ maxReconnects: 0 })
    driver.connection.host.lost(connectionLost())
    await clock.advance(0)
    await supervisor.close(over, 1_000)
    expect(states).toEqual(['up', 'connecting', 'down', 'closed'])
  })
})
