import type { PartialPublishError, Transport } from '@posthorn/transport'
import { createMemoryBroker, type MemoryBroker } from '@posthorn/transport/memory'
import { createVirtualClock, type VirtualClock } from '@posthorn/transport/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { CircuitOpenError, createBreaker, type Breaker } from './index.ts'

let clock: VirtualClock
let broker: MemoryBroker
let breaker: Breaker
let transport: Transport

const connect = (options = {}): Promise<Transport> =>
  broker.connect({ publishUse: [breaker.publish(options)], sendTimeoutMs: 1_000 })

beforeEach(async () => {
  clock = createVirtualClock()
  broker = createMemoryBroker({ clock })
  breaker = createBreaker({ name: 'broker', clock, minimumCalls: 3, resetMs: 10_000, jitter: 'none' })
  transport = await connect()
})

const failure = async (send: Promise<unknown>): Promise<unknown> =>
  send.then(
    () => 'sent',
    (error: unknown) => error,
  )

/** Sends that run into their timeouts. */
async function fail(one: Transport, count: number): Promise<unknown[]> {
  broker.faults.freezePublishes(true)
  const sends = Array.from({ length: count }, () => failure(one.send('orders', { data: 1 })))
  await clock.advance(1_000)
  broker.faults.freezePublishes(false)
  return Promise.all(sends)
}

describe('publishing', () => {
  test('rejects at once while it is open, and says that nothing was sent', async () => {
    expect((await fail(transport, 3)).map((error) => (error as { code: string }).code)).toEqual(
      Array(3).fill('POSTHORN_TIMEOUT'),
    )
    const error = await failure(transport.send('orders', { data: 1 }))
    expect(error).toBeInstanceOf(CircuitOpenError)
    expect(error).toMatchObject({
      code: 'POSTHORN_CIRCUIT_OPEN',
      outcome: 'rejected',
      phase: 'publish',
      retryAfterMs: 10_000,
    })
  })

  test('tells it for each message of a batch', async () => {
    breaker.isolate()
    const error = (await failure(
      transport.sendMany('orders', [{ data: 1 }, { data: 2 }]),
    )) as PartialPublishError
    expect(error.outcomes.map((outcome) => outcome !== 'confirmed' && outcome.code)).toEqual([
      'POSTHORN_CIRCUIT_OPEN',
      'POSTHORN_CIRCUIT_OPEN',
    ])
  })

  test('goes on after a trial that is confirmed', async () => {
    await fail(transport, 3)
    await clock.advance(10_000)
    await transport.send('orders', { data: 1 })
    await transport.send('orders', { data: 2 })
    expect(breaker.state).toBe('closed')
  })

  test('does not count what is wrong with the message', async () => {
    for (let send = 0; send < 5; send++) await failure(transport.send('orders', { data: 5n }))
    expect([breaker.state, breaker.counts()]).toMatchObject(['closed', { ignored: 5, failed: 0 }])
  })

  test('guards the destinations that it is told', async () => {
    const picky = await connect({ destinations: ['orders'] })
    breaker.isolate()
    expect(await failure(picky.send('mails', { data: 1 }))).toBe('sent')
    expect(await failure(picky.publish('shop', { data: 1 }))).toBe('sent')
    expect(await failure(picky.send('orders', { data: 1 }))).toMatchObject({ code: 'POSTHORN_CIRCUIT_OPEN' })
  })

  test('what a handler sends is guarded as well', async () => {
    const errors: unknown[] = []
    await transport.consume('orders', async (_, context) => {
      errors.push(await failure(context.send('mails', { data: 1 })))
    })
    await transport.send('orders', { data: 1 })
    breaker.isolate()
    await clock.advance(10)
    expect(errors).toMatchObject([{ code: 'POSTHORN_CIRCUIT_OPEN' }])
  })
})
