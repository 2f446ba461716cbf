import { describe, expect, test } from 'vitest'
import { Client, createLab, message, messages, queue, settlement } from '../../test/memory-driver.ts'
import type { Lab } from '../../test/memory-driver.ts'
import type { MemoryBrokerOptions } from './options.ts'

async function start(
  options: MemoryBrokerOptions = {},
  ...ids: readonly string[]
): Promise<{ lab: Lab; client: Client }> {
  const lab = createLab(options)
  const client = await lab.connect()
  await client.declareQueue('orders')
  await client.send('orders', ...messages(...ids))
  return { lab, client }
}

describe('settling', () => {
  test('ack removes the message for good', async () => {
    const { lab, client } = await start({}, 'a')
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    expect(await reader.settle('a', 'ack')).toBe('confirmed')
    await reader.consumer.close()
    expect(lab.broker.raw.messages('orders')).toEqual([])
  })

  test('a second settlement is lost and settles nothing else', async () => {
    const { lab, client } = await start({}, 'a', 'b')
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    const [a, b] = reader.deliveries as [never, never]
    const outcomes = await reader.consumer.settle(reader.scope, [
      settlement(a, 'ack'),
      settlement(a, 'ack'),
      settlement(b, 'ack'),
    ])
    expect(outcomes).toEqual(['confirmed', 'lost', 'confirmed'])
    expect(await reader.settle('a', 'retry')).toBe('lost')
    expect(await client.connection.depth(queue('orders'))).toMatchObject({ ready: 0, inFlight: 0 })
  })

  test('a delivery cannot be settled by another consumer', async () => {
    const { lab, client } = await start({}, 'a')
    const reader = await client.consume(queue('orders'))
    const other = await client.consume(queue('orders'))
    await lab.turn()
    const delivery = reader.delivery('a')
    expect(await other.consumer.settle(other.scope, [settlement(delivery, 'ack')])).toEqual(['lost'])
    expect(await other.consumer.settle(delivery.scope, [settlement(delivery, 'ack')])).toEqual(['lost'])
    expect(await reader.settle('a', 'ack')).toBe('confirmed')
  })

  test('retry brings the message back as it was given, after its delay and not before', async () => {
    const { lab, client } = await start({}, 'a')
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    await reader.settle('a', 'retry', { delayMs: 1_000, message: { attempt: 2, lastError: 'Error: no' } })
    await lab.clock.advance(999)
    expect(reader.ids).toEqual(['a'])
    expect(await client.connection.depth(queue('orders'))).toMatchObject({
      ready: 0,
      delayed: 1,
      inFlight: 0,
    })
    await lab.clock.advance(1)
    expect(reader.ids).toEqual(['a', 'a'])
    expect(reader.delivery('a')).toMatchObject({
      deliveries: 2,
      message: { attempt: 2, lastError: 'Error: no' },
    })
  })

  test('release in place comes back before what was not handed out', async () => {
    const { lab, client } = await start({}, 'a', 'b', 'c', 'd')
    const reader = await client.consume(queue('orders'), { window: 3 })
    await lab.turn()
    reader.consumer.window(reader.scope, 0)
    const [a, b, c] = ['a', 'b', 'c'].map((id) => settlement(reader.delivery(id), 'release')) as [
      never,
      never,
      never,
    ]
    await reader.consumer.settle(reader.scope, [c, a, b])
    await client.send('orders', message('e'))
    reader.consumer.window(reader.scope, 10)
    await lab.turn()
    expect(reader.ids.slice(3)).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  test('release with a delay comes back then', async () => {
    const { lab, client } = await start({}, 'a')
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    await reader.settle('a', 'release', { delayMs: 500 })
    await lab.clock.advance(499)
    expect(reader.ids).toEqual(['a'])
    await lab.clock.advance(1)
    expect(reader.delivery('a').message.attempt).toBe(1)
    expect(reader.ids).toEqual(['a', 'a'])
  })

  test('what is left of the hand-outs without the recorded releases does not rise by a release', async () => {
    const { lab, client } = await start({}, 'a')
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    await reader.settle('a', 'release', { message: { releases: 1 } })
    await lab.turn()
    expect(reader.delivery('a')).toMatchObject({ deliveries: 2, message: { releases: 1 } })
    await reader.settle('a', 'release')
    await lab.turn()
    expect(reader.delivery('a')).toMatchObject({ deliveries: 2, message: { releases: 1 } })
  })

  test('a counted release cannot be recorded and looks like a crash', async () => {
    const { lab, client } = await start({ release: 'counted' }, 'a')
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    await reader.settle('a', 'release', { message: { releases: 1 } })
    await lab.turn()
    expect(reader.delivery('a')).toMatchObject({ deliveries: 2, message: { releases: 0 } })
    expect(client.connection.capabilities.features.uncountedRelease.level).toBe('unsupported')
  })

  test('hold keeps the delivery and is what a crash hands out', async () => {
    const { lab, client } = await start({}, 'a')
    const crashing = await lab.connect('crashing')
    const reader = await crashing.consume(queue('orders'))
    await lab.turn()
    expect(
      await reader.settle('a', 'hold', { message: { attempt: 2, notBefore: lab.clock.now() + 60_000 } }),
    ).toBe('confirmed')
    expect(await client.connection.depth(queue('orders'))).toMatchObject({ inFlight: 1, ready: 0 })
    expect(reader.delivery('a').message.attempt).toBe(1)
    const other = await client.consume(queue('orders'))
    lab.broker.faults.crash('crashing')
    await lab.turn()
    expect(other.delivery('a')).toMatchObject({ deliveries: 2, message: { attempt: 2 } })
  })

  test('hold records nothing where the broker cannot', async () => {
    const { lab, client } = await start({ holdKey: false }, 'a')
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    expect(await reader.settle('a', 'hold', { message: { attempt: 2 } })).toBe('confirmed')
    lab.broker.faults.dropLeases('orders')
    await lab.turn()
    expect(reader.delivery('a').message.attempt).toBe(1)
    expect(client.connection.capabilities.features.holdKey).toMatchObject({ level: 'unsupported' })
  })

  test('deadLetter moves the message with its record', async () => {
    const { lab, client } = await start({}, 'a')
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    expect(await reader.settle('a', 'deadLetter', { message: { attempt: 3 } })).toBe('confirmed')
    expect(lab.broker.raw.messages('orders')).toEqual([])
    expect(lab.broker.raw.messages('orders.dlq')).toMatchObject([
      { state: 'ready', message: { id: 'a', attempt: 3 }, record: { reason: 'gave-up' } },
    ])
    expect(await client.connection.countDeadLetters(queue('orders'))).toBe(1)
    expect(await client.connection.depth(queue('orders'))).toMatchObject({ deadLettered: 1 })
  })

  test('answers sent where the broker does not confirm settlements, but for a hold', async () => {
    const { lab, client } = await start({ confirm: 'sent' }, 'a', 'b', 'c', 'd')
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    const verbs = ['ack', 'retry', 'hold', 'deadLetter'] as const
    const items = reader.deliveries.map((delivery, index) => settlement(delivery, verbs[index] ?? 'ack'))
    expect(await reader.consumer.settle(reader.scope, items)).toEqual(['sent', 'sent', 'confirmed', 'sent'])
  })

  test('refuses a delay where there is none, and the delivery stays', async () => {
    const { lab, client } = await start({ delay: false }, 'a')
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    expect(await reader.settle('a', 'retry', { delayMs: 10 })).toMatchObject({ code: 'POSTHORN_UNSUPPORTED' })
    expect(await reader.settle('a', 'ack')).toBe('confirmed')
    const [outcome] = await client.send('orders', message('b', { notBefore: lab.clock.now() + 1 }))
    expect(outcome).toMatchObject({ code: 'POSTHORN_UNSUPPORTED', outcome: 'rejected' })
  })

  test('refuses to send with a delay above the longest, and takes any before the next attempt', async () => {
    const { lab, client } = await start({ maxDelayMs: 1_000 }, 'a')
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    const { features } = client.connection.capabilities
    expect(features.delayedSend.limits?.['maxMs']).toBe(1_000)
    expect(features.delayedRetry.limits?.['maxMs']).toBeUndefined()
    expect(await reader.settle('a', 'release', { delayMs: 60_000 })).toBe('confirmed')
    const late = message('late', { notBefore: lab.clock.now() + 1_001 })
    const inTime = message('in time', { notBefore: lab.clock.now() + 1_000 })
    expect(await client.send('orders', late, inTime)).toMatchObject([
      {
        code: 'POSTHORN_UNSUPPORTED',
        outcome: 'rejected',
        message: expect.stringContaining('delays of more than 1000 ms'),
      },
      'confirmed',
    ])
    await lab.clock.advance(1_000)
    expect(reader.ids).toEqual(['a', 'in time'])
    expect(await reader.settle('in time', 'ack')).toBe('confirmed')
    await lab.clock.advance(59_000)
    expect(reader.ids).toEqual(['a', 'in time', 'a'])
  })

  test('takes hand-outs for attempts where they are not recorded apart', async () => {
    const { lab, client } = await start({ attemptCount: false }, 'a')
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    await reader.settle('a', 'retry', { message: { attempt: 7 } })
    await lab.turn()
    expect(reader.delivery('a')).toMatchObject({ deliveries: 2, message: { attempt: 2 } })
    await reader.settle('a', 'release')
    await lab.turn()
    lab.broker.faults.dropLeases('orders')
    await lab.turn()
    expect(reader.delivery('a')).toMatchObject({ deliveries: 4, message: { attempt: 4 } })
    await reader.settle('a', 'hold', { message: { attempt: 6 } })
    lab.broker.faults.dropLeases('orders')
    await lab.turn()
    expect(reader.delivery('a')).toMatchObject({ deliveries: 5, message: { attempt: 7 } })
    expect(client.connection.capabilities.features.attemptCount.level).toBe('emulated')
  })

  test('says 1 delivery where hand-outs are not counted', async () => {
    const { lab, client } = await start({ deliveryCount: false }, 'a')
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    lab.broker.faults.dropLeases('orders')
    await lab.turn()
    expect(reader.ids).toEqual(['a', 'a'])
    expect(reader.delivery('a').deliveries).toBe(1)
  })
})

describe('a lease per delivery', () => {
  test('ends on time: the message goes back to its place, counted, and a late ack is lost', async () => {
    const { lab, client } = await start({ lease: { scope: 'delivery', durationMs: 5_000 } }, 'a', 'b')
    const reader = await client.consume(queue('orders'), { window: 1 })
    const other = await client.consume(queue('orders'), { window: 0 })
    await lab.turn()
    await lab.clock.advance(4_999)
    other.consumer.window(other.scope, 10)
    reader.consumer.window(reader.scope, 0)
    await lab.turn()
    expect(other.ids).toEqual(['b'])
    await lab.clock.advance(1)
    expect(other.ids).toEqual(['b', 'a'])
    expect(other.delivery('a').deliveries).toBe(2)
    expect(await reader.settle('a', 'ack')).toBe('lost')
    expect(await reader.renew('a')).toBe('lost')
    expect(await other.settle('a', 'ack')).toBe('confirmed')
  })

  test('lasts as long as it is renewed', async () => {
    const { lab, client } = await start({ lease: { scope: 'delivery', durationMs: 5_000 } }, 'a', 'b')
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    for (let renewals = 0; renewals < 5; renewals++) {
      await lab.clock.advance(4_000)
      expect(await reader.renew('a')).toBe('confirmed')
    }
    await lab.turn()
    expect(reader.ids).toEqual(['a', 'b', 'b', 'b', 'b', 'b'])
    expect(await reader.settle('a', 'ack')).toBe('confirmed')
    expect(reader.deliveries.at(-1)?.deliveries).toBe(5)
  })

  test('ends for each delivery at its own time', async () => {
    const { lab, client } = await start({ lease: { scope: 'delivery', durationMs: 5_000 } }, 'a')
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    await lab.clock.advance(2_000)
    await client.send('orders', message('b'))
    await lab.turn()
    reader.consumer.window(reader.scope, 0)
    await lab.clock.advance(3_000)
    expect(await client.connection.depth(queue('orders'))).toMatchObject({ ready: 1, inFlight: 1 })
    await lab.clock.advance(1_999)
    expect(await client.connection.depth(queue('orders'))).toMatchObject({ ready: 1, inFlight: 1 })
    await lab.clock.advance(1)
    expect(await client.connection.depth(queue('orders'))).toMatchObject({ ready: 2, inFlight: 0 })
  })

  test('takes one timer for all', async () => {
    const ids = Array.from({ length: 100 }, (_, index) => `m${index}`)
    const { lab, client } = await start({}, ...ids)
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    expect(reader.ids).toEqual(ids)
    expect(lab.clock.pending).toBe(1)
    await client.connection.close()
    expect(lab.clock.pending).toBe(0)
  })
})

describe('a lease of the session', () => {
  test('lasts as long as the consumer', async () => {
    const { lab, client } = await start({ lease: { scope: 'session' } }, 'a')
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    await lab.clock.advance(86_400_000)
    expect(await reader.renew('a')).toBe('confirmed')
    expect(await reader.settle('a', 'ack')).toBe('confirmed')
    expect(client.connection.capabilities.lease).toEqual({ scope: 'session', durationMs: undefined })
  })

  test('ends with the scope when a delivery is held for too long, whatever is renewed', async () => {
    const { lab, client } = await start({ lease: { scope: 'session', maxHoldMs: 10_000 } }, 'a', 'b')
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    await reader.settle('b', 'ack')
    await lab.clock.advance(6_000)
    await reader.renew('a')
    await client.send('orders', message('c'))
    await lab.clock.advance(4_000)
    expect(reader.lostScopes).toEqual([reader.scopes[0]])
    expect(reader.scopes).toHaveLength(2)
    expect(reader.ids).toEqual(['a', 'b', 'c', 'a', 'c'])
    expect(reader.deliveries.slice(3).map(({ scope, deliveries }) => ({ scope, deliveries }))).toEqual([
      { scope: reader.scopes[1], deliveries: 2 },
      { scope: reader.scopes[1], deliveries: 2 },
    ])
    expect(await reader.settleDelivery(reader.deliveries[0] as never, 'ack')).toBe('lost')
    expect(client.connection.capabilities.lease).toEqual({ scope: 'session', durationMs: 10_000 })
  })
})

describe('closing a consumer', () => {
  test('gives back what is unsettled in place, uncounted', async () => {
    const { lab, client } = await start({}, 'a', 'b', 'c')
    const reader = await client.consume(queue('orders'), { window: 2 })
    await lab.turn()
    await reader.consumer.close()
    await reader.consumer.close()
    const other = await client.consume(queue('orders'))
    await lab.turn()
    expect(other.ids).toEqual(['a', 'b', 'c'])
    expect(other.deliveries.map(({ deliveries }) => deliveries)).toEqual([1, 1, 1])
    expect(await reader.settle('a', 'ack')).toBe('lost')
  })

  test('counts where the broker cannot do without', async () => {
    const { lab, client } = await start({ release: 'counted' }, 'a')
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    await reader.consumer.close()
    const other = await client.consume(queue('orders'))
    await lab.turn()
    expect(other.delivery('a').deliveries).toBe(2)
    expect(client.connection.capabilities.features.uncountedClose.level).toBe('unsupported')
  })
})
