import type { Message, Middleware, Transport } from '@posthorn/transport'
import { createMemoryBroker, memory } from '@posthorn/transport/memory'
import { createVirtualClock, type VirtualClock } from '@posthorn/transport/testing'
import * as v from 'valibot'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createEventBus, type EventBus } from './index.ts'

interface Events {
  'order.created': { orderId: string }
  'order.item.added': { itemId: string }
  'order.paid': { orderId: string }
  'user.created': { userId: string }
}

let clock: VirtualClock
let transport: Transport
let events: EventBus<Events>
beforeEach(async () => {
  clock = createVirtualClock()
  transport = await memory({ clock })
  events = createEventBus<Events>(transport, 'events')
})

const deadLetters = async (group: string) =>
  (await transport.deadLetters({ topic: 'events', group }).page()).entries

async function publishAll(): Promise<void> {
  await events.publish('order.created', { orderId: '1' })
  await events.publish('order.item.added', { itemId: '2' })
  await events.publishMany([
    { type: 'order.paid', data: { orderId: '1' } },
    { type: 'user.created', data: { userId: '3' } },
  ])
  await clock.advance(0)
}

describe('publishing', () => {
  test('each group gets what its patterns match, once', async () => {
    const seen: Record<string, string[]> = { all: [], orders: [], created: [], both: [] }
    const note = (group: string) => (event: Message) => seen[group]?.push(event.type)
    await events.subscribe('#', note('all'), { group: 'all' })
    await events.subscribe('order.*', note('orders'), { group: 'orders' })
    await events.subscribe('*.created', note('created'), { group: 'created' })
    await events.subscribe(['order.#', 'order.paid', 'user.created'], note('both'), { group: 'both' })
    await publishAll()
    expect(seen).toEqual({
      all: ['order.created', 'order.item.added', 'order.paid', 'user.created'],
      orders: ['order.created', 'order.paid'],
      created: ['order.created', 'user.created'],
      both: ['order.created', 'order.item.added', 'order.paid', 'user.created'],
    })
  })

  test('that nobody subscribes is fine', async () => {
    await expect(events.publish('order.created', { orderId: '1' })).resolves.toBeUndefined()
  })

  test('everything that an event can have arrives with it', async () => {
    const arrived: Message[] = []
    await events.subscribe('order.paid', (event) => arrived.push(event), { group: 'a' })
    const options = { id: 'e-1', key: '1', priority: 3, correlationId: 'c', expiresAt: clock.now() + 60_000 }
    await events.publish(
      'order.paid',
      { orderId: '1' },
      { ...options, headers: { a: 'b' }, time: 5, delayMs: 1_000 },
    )
    await clock.advance(999)
    expect(arrived).toEqual([])
    await clock.advance(1)
    expect(arrived).toMatchObject([
      { type: 'order.paid', routingKey: 'order.paid', data: { orderId: '1' }, time: 5, ...options },
    ])
    expect({ ...arrived[0]?.headers }).toEqual({ a: 'b' })
  })

  test('an event published through a context is caused by its message and the same on every attempt', async () => {
    const paid: { id: string; cause: string | undefined }[] = []
    await events.subscribe('order.paid', ({ id, causationId }) => paid.push({ id, cause: causationId }), {
      group: 'a',
    })
    await events.subscribe(
      'order.created',
      async ({ data }, context) => {
        await events.publish('order.paid', data, { via: context })
        if (context.attempt === 1) throw new Error('after publishing')
      },
      { group: 'b' },
    )
    await events.publish('order.created', { orderId: '1' }, { id: 'cause' })
    await clock.advance(60_000)
    expect(paid).toHaveLength(2)
    expect(paid[0]).toEqual(paid[1])
    expect(paid[0]?.cause).toBe('cause')
  })
})

test('an event of a publisher without Posthorn is known by its routing key', async () => {
  const broker = createMemoryBroker({ clock })
  const bus = createEventBus(await broker.connect(), 'events', {
    schemas: { 'order.paid': z.object({ total: z.number() }) },
  })
  const seen: unknown[] = []
  await bus.subscribe('order.*', ({ type, data }) => seen.push([type, data]), { group: 'a' })
  const body = new TextEncoder().encode('{"total":7}')
  broker.raw.put('events/a', { body, properties: { routingKey: 'order.paid' } })
  await clock.advance(0)
  expect(seen).toEqual([['order.paid', { total: 7 }]])
})

describe('groups', () => {
  test('members of one share its events', async () => {
    const broker = createMemoryBroker({ clock })
    const counts = [0, 0]
    for (const index of [0, 1]) {
      const bus = createEventBus<Events>(await broker.connect(), 'events')
      await bus.subscribe('#', () => void (counts[index]! += 1), { group: 'a', concurrency: 1 })
    }
    const bus = createEventBus<Events>(await broker.connect(), 'events')
    await bus.publishMany(
      Array.from({ length: 50 }, () => ({ type: 'user.created' as const, data: { userId: '1' } })),
    )
    await clock.advance(0)
    expect(counts[0]! + counts[1]!).toBe(50)
    expect(Math.min(...counts)).toBeGreaterThan(10)
  })

  test('a failing handler is retried for its own group only, then dead-lettered there', async () => {
    const calls: Record<string, number> = { healthy: 0, failing: 0, recovering: 0 }
    await events.subscribe('order.*', () => void (calls['healthy']! += 1), { group: 'healthy' })
    const failing = (): never => {
      calls['failing']! += 1
      throw new Error('cannot bill')
    }
    await events.subscribe('order.*', failing, { group: 'failing', maxAttempts: 3 })
    const recovering = (_: Message, { attempt }: { attempt: number }): void => {
      calls['recovering']! += 1
      if (attempt < 3) throw new Error('not yet')
    }
    await events.subscribe('order.*', recovering, { group: 'recovering' })
    await events.publish('order.paid', { orderId: '1' })
    await clock.advance(600_000)
    expect(calls).toEqual({ healthy: 1, failing: 3, recovering: 3 })
    expect(await deadLetters('failing')).toMatchObject([
      {
        type: 'order.paid',
        group: 'failing',
        reason: 'attempts-exhausted',
        error: { message: 'cannot bill' },
        handler: 'failing',
      },
    ])
    expect(await deadLetters('healthy')).toEqual([])
    expect(await deadLetters('recovering')).toEqual([])
  })

  test('a group gets what was published while nobody of it was connected', async () => {
    const seen: string[] = []
    const subscription = await events.subscribe('user.*', () => {}, { group: 'a' })
    await subscription.stop()
    await publishAll()
    await events.subscribe('user.*', ({ data }) => seen.push(data.userId), { group: 'a' })
    await clock.advance(0)
    expect(seen).toEqual(['3'])
  })

  test('any middleware sees the events of its subscription', async () => {
    const seen: string[] = []
    const log: Middleware = {
      name: 'log',
      phase: 'observe',
      wrap: (next) => (message, context) => {
        seen.push(message.type)
        return next(message, context)
      },
    }
    await events.subscribe('order.*', () => {}, { group: 'a', use: [log] })
    await publishAll()
    expect(seen).toEqual(['order.created', 'order.paid'])
  })
})

describe('ephemeral subscriptions', () => {
  test('get what is published while they are there', async () => {
    const seen: string[] = []
    await publishAll()
    const subscription = await events.subscribe('order.*', ({ type }) => seen.push(type), { ephemeral: true })
    await events.publish('order.paid', { orderId: '1' })
    await clock.advance(0)
    await subscription.stop()
    await publishAll()
    expect(seen).toEqual(['order.paid'])
  })

  test('a failure is told of, though at most once means that the event is gone', async () => {
    const told: unknown[] = []
    transport.on('handlerFailed', ({ type, error }) => told.push([type, (error as Error).message]))
    let calls = 0
    const failing = (): never => {
      calls += 1
      throw new Error('cannot show')
    }
    await events.subscribe('order.paid', failing, { ephemeral: true })
    await events.publish('order.paid', { orderId: '1' })
    await clock.advance(600_000)
    expect(calls).toBe(1)
    expect(told).toEqual([['order.paid', 'cannot show']])
  })
})

test('an ephemeral subscription tells of what does not fit its schema', async () => {
  const bus = createEventBus(transport, 'events', {
    schemas: { 'order.paid': z.object({ total: z.number() }) },
  })
  const told: unknown[] = []
  transport.on('handlerFailed', ({ error }) => told.push((error as Error).message))
  await bus.subscribe('order.*', () => {}, { ephemeral: true })
  await transport.publish('events', { type: 'order.paid', data: {}, id: '7' })
  await clock.advance(0)
  expect(told).toEqual([
    expect.stringContaining('The data of "order.paid" 7 does not fit its schema: total: Invalid'),
  ])
})

describe.each([
  [
    'Zod',
    {
      'order.created': z.object({ at: z.iso.datetime().transform((text) => new Date(text)) }),
      'order.paid': z.object({ total: z.number() }),
    },
  ],
  [
    'Valibot',
    {
      'order.created': v.object({
        at: v.pipe(
          v.string(),
          v.isoTimestamp(),
          v.transform((text) => new Date(text)),
        ),
      }),
      'order.paid': v.object({ total: v.number() }),
    },
  ],
] as const)('with schemas of %s', (_, schemas) => {
  test('what does not fit is refused when it is published, and not sent', async () => {
    const bus = createEventBus(transport, 'events', { schemas })
    const seen: unknown[] = []
    await bus.subscribe('#', ({ data }) => seen.push(data), { group: 'a' })
    await expect(bus.publish('order.created', { at: 'noon' })).rejects.toMatchObject({
      code: 'POSTHORN_SCHEMA_MISMATCH',
      outcome: 'rejected',
      message: expect.stringMatching(
        /^publish to "events": The event "order.created" does not fit its schema: at: Invalid/,
      ),
    })
    const batch = [
      { type: 'order.paid', data: { total: 1 } },
      { type: 'order.paid', data: { total: '1' as unknown as number } },
    ] as const
    await expect(bus.publishMany(batch)).rejects.toThrow(
      'event "order.paid" at [1] does not fit its schema: total: Invalid',
    )
    await clock.advance(0)
    expect(seen).toEqual([])
  })

  test('the original travels, and each handler gets what the schema makes of it', async () => {
    const bus = createEventBus(transport, 'events', { schemas })
    const seen: unknown[] = []
    await bus.subscribe('#', ({ data }) => seen.push(data), { group: 'typed' })
    await transport.subscribe('events', ({ data }) => seen.push(data), { group: 'plain' })
    await bus.publish('order.created', { at: '2026-05-01T12:00:00Z' })
    await clock.advance(0)
    expect(seen).toEqual([{ at: new Date('2026-05-01T12:00:00Z') }, { at: '2026-05-01T12:00:00Z' }])
  })

  test('what arrives and does not fit is dead-lettered at once, for this group only', async () => {
    const bus = createEventBus(transport, 'events', { schemas })
    const seen: unknown[] = []
    await bus.subscribe('order.paid', ({ data }) => seen.push(data), { group: 'typed' })
    await transport.subscribe('events', ({ data }) => seen.push(data), { group: 'plain' })
    await transport.publish('events', { type: 'order.paid', data: { total: 'much' } })
    await clock.advance(600_000)
    expect(seen).toEqual([{ total: 'much' }])
    expect(await deadLetters('typed')).toMatchObject([
      {
        reason: expect.stringMatching(/^invalid-data: total: Invalid/),
        attempts: 1,
        error: { code: 'POSTHORN_SCHEMA_MISMATCH' },
      },
    ])
    expect(await deadLetters('plain')).toEqual([])
  })
})

describe('an event that no schema is for', () => {
  const schemas = { 'order.paid': z.object({ total: z.number() }) }

  test('is dead-lettered for this group, and can be replayed after an upgrade', async () => {
    const bus = createEventBus(transport, 'events', { schemas })
    const handled: unknown[] = []
    const bill = (event: Message): unknown => handled.push(event.data)
    const old = await bus.subscribe('order.*', bill, { group: 'a' })
    await events.publish('order.created', { orderId: '1' })
    await events.publish('order.paid', { orderId: '1' })
    await clock.advance(0)
    expect(handled).toEqual([])
    expect(await deadLetters('a')).toMatchObject([
      {
        type: 'order.created',
        handler: 'bill',
        reason: 'unknown-event: known here: order.paid',
        error: { code: 'POSTHORN_NO_HANDLER' },
      },
      {
        type: 'order.paid',
        reason: 'invalid-data: total: Invalid input: expected number, received undefined',
      },
    ])
    await old.stop()
    const newer = createEventBus(transport, 'events', {
      schemas: { ...schemas, 'order.created': z.object({ orderId: z.string() }) },
    })
    await newer.subscribe('order.*', ({ data }) => handled.push(data), { group: 'a' })
    const [first] = await deadLetters('a')
    await transport.deadLetters('events/a').replay([first!.entryId])
    await clock.advance(0)
    expect(handled).toEqual([{ orderId: '1' }])
  })

  test('is left out where the subscription says so', async () => {
    const bus = createEventBus(transport, 'events', { schemas })
    const handled: unknown[] = []
    await bus.subscribe('order.*', ({ data }) => handled.push(data), { group: 'a', unknownEvents: 'ignore' })
    await events.publish('order.created', { orderId: '1' })
    await bus.publish('order.paid', { total: 1 })
    await clock.advance(0)
    expect(handled).toEqual([{ total: 1 }])
    expect(await deadLetters('a')).toEqual([])
  })

  test('reaches the handler where there are no schemas', async () => {
    const handled: string[] = []
    await events.subscribe('order.#', ({ type }) => handled.push(type), { group: 'a' })
    await transport.publish('events', { type: 'order.archived', data: null })
    await clock.advance(0)
    expect(handled).toEqual(['order.archived'])
  })

  test('cannot be published', async () => {
    const bus = createEventBus(transport, 'events', { schemas })
    await expect(bus.publish('order.payd' as 'order.paid', { total: 1 })).rejects.toThrow(
      'there is no event "order.payd". Did you mean "order.paid"?',
    )
  })
})

describe('bad input is refused', () => {
  test('neither group nor ephemeral, and both', async () => {
    await expect(events.subscribe('#', () => {}, {} as never)).rejects.toThrow('needs either { group }')
    await expect(events.subscribe('#', () => {}, undefined as never)).rejects.toThrow(
      'needs either { group }',
    )
    await expect(events.subscribe('#', () => {}, { group: 'a', ephemeral: true } as never)).rejects.toThrow(
      'needs only one of',
    )
  })

  test('an unknown option, with the near one', async () => {
    await expect(events.subscribe('#', () => {}, { groups: 'a' } as never)).rejects.toThrow(
      'Did you mean "group"?',
    )
    await expect(events.subscribe('#', () => {}, { group: 'a', batch: { max: 2 } } as never)).rejects.toThrow(
      'has no option "batch"',
    )
    await expect(
      events.subscribe('#', () => {}, { group: 'a', unknownEvents: 'drop' } as never),
    ).rejects.toThrow('unknownEvents must be one of "dead-letter", "ignore", but is "drop"')
    expect(() => createEventBus(transport, 'events', { schema: {} } as never)).toThrow(
      'Did you mean "schemas"?',
    )
  })

  test('events without a name, and a subscription without a pattern', async () => {
    await expect(events.subscribe(undefined as never, () => {}, { group: 'a' })).rejects.toThrow(
      "takes the names or patterns of the events first, and got undefined. '#' is all of them.",
    )
    await expect(createEventBus(transport, 'events').publish(undefined as never, 1)).rejects.toThrow(
      'publish to "events": the name of the event is missing',
    )
  })

  test('a transport that is still to come', () => {
    expect(() => createEventBus(Promise.resolve(transport) as never, 'events')).toThrow('Await it first')
  })

  test('a pattern that is none', async () => {
    await expect(events.subscribe('order..paid' as '#', () => {}, { group: 'a' })).rejects.toMatchObject({
      code: 'POSTHORN_INVALID_PATTERN',
    })
    await expect(events.subscribe([], () => {}, { group: 'a' })).rejects.toMatchObject({
      code: 'POSTHORN_INVALID_OPTION',
    })
  })

  test('a handler that is none, with schemas and without', async () => {
    await expect(events.subscribe('#', 'later' as never, { group: 'a' })).rejects.toThrow(
      'takes a handler function, and got "later"',
    )
    const bus = createEventBus(transport, 'events', { schemas: { a: z.null() } })
    await expect(bus.subscribe('#', undefined as never, { group: 'a' })).rejects.toThrow(
      'takes a handler function, and got undefined',
    )
  })

  test('options that make no sense for at most once', async () => {
    await expect(
      events.subscribe('#', () => {}, { ephemeral: true, maxAttempts: 3 } as never),
    ).rejects.toThrow('at most once')
  })
})
