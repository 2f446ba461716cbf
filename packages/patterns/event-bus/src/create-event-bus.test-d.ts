import type { Consumer, Context, Message, Middleware, Transport } from '@posthorn/transport'
import { describe, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { createEventBus, type EventBus } from './index.ts'

declare const transport: Transport
declare const middleware: Middleware

interface Events {
  'order.created': { orderId: string; total: number }
  'order.paid': { orderId: string; paidAt: string }
  'user.created': { userId: string }
}

const group = 'billing'

describe('with a type map', () => {
  const events = createEventBus<Events>(transport, 'events')

  test('an interface is a type map', () => {
    expectTypeOf(events).toEqualTypeOf<EventBus<Events>>()
  })

  test('data has to fit its event', () => {
    void events.publish('order.created', { orderId: '1', total: 1 }, { key: '1', expiresAt: new Date() })
    // @ts-expect-error -- the data of another event
    void events.publish('order.created', { userId: '1' })
    // @ts-expect-error -- no such event
    void events.publish('order.creatd', { orderId: '1', total: 1 })
    // @ts-expect-error -- the pattern is what events are routed by
    void events.publish('user.created', { userId: '1' }, { routingKey: 'x' })
  })

  test('each event of a batch has the data of its own type', () => {
    void events.publishMany([
      { type: 'order.created', data: { orderId: '1', total: 1 } },
      { type: 'user.created', data: { userId: '1' }, key: '1' },
    ])
    // @ts-expect-error -- the data of another event
    void events.publishMany([{ type: 'user.created', data: { orderId: '1', total: 1 } }])
  })

  test('a handler gets the event that its pattern names', () => {
    const subscription = events.subscribe(
      'order.paid',
      (event, context) => {
        expectTypeOf(event).toEqualTypeOf<Message<Events['order.paid'], 'order.paid'>>()
        expectTypeOf(context).toEqualTypeOf<Context>()
      },
      { group },
    )
    expectTypeOf(subscription).toEqualTypeOf<Promise<Consumer>>()
  })

  test('a switch on the type narrows the data', () => {
    void events.subscribe(
      'order.*',
      (event) => {
        expectTypeOf(event.type).toEqualTypeOf<'order.created' | 'order.paid'>()
        switch (event.type) {
          case 'order.created':
            return expectTypeOf(event.data).toEqualTypeOf<Events['order.created']>()
          case 'order.paid':
            return expectTypeOf(event.data).toEqualTypeOf<Events['order.paid']>()
        }
      },
      { group },
    )
  })

  test('several patterns give the events of all of them', () => {
    void events.subscribe(
      ['order.#', 'user.created'],
      (event) => expectTypeOf(event.type).toEqualTypeOf<keyof Events>(),
      { group, use: [middleware] },
    )
    void events.subscribe(
      ['*.created'],
      (event) => expectTypeOf(event.type).toEqualTypeOf<'order.created' | 'user.created'>(),
      {
        ephemeral: true,
      },
    )
  })

  test('a pattern that only the running program knows may give any event', () => {
    void events.subscribe(
      process.argv[2] ?? '#',
      (event) => expectTypeOf(event.type).toEqualTypeOf<keyof Events>(),
      { group },
    )
  })

  test('a handler for more events than the pattern gives is fine', () => {
    const log = (event: Message): void => console.log(event.type)
    void events.subscribe('order.*', log, { group })
  })

  test('a pattern that matches no event is refused', () => {
    // @ts-expect-error -- no such event
    void events.subscribe('order.refunded', () => {}, { group })
    // @ts-expect-error -- no event has three words
    void events.subscribe('order.*.*', () => {}, { group })
    // @ts-expect-error -- nothing starts with invoice
    void events.subscribe(['order.*', 'invoice.#'], () => {}, { group })
    // @ts-expect-error -- an empty word
    void events.subscribe('order.', () => {}, { group })
  })

  test('neither group nor ephemeral is refused, and so are both', () => {
    // @ts-expect-error -- neither
    void events.subscribe('order.*', () => {}, {})
    // @ts-expect-error -- no options at all
    void events.subscribe('order.*', () => {})
    // @ts-expect-error -- both
    void events.subscribe('order.*', () => {}, { group, ephemeral: true })
  })

  test('an ephemeral subscription has no retries', () => {
    // @ts-expect-error -- at most once
    void events.subscribe('order.*', () => {}, { ephemeral: true, maxAttempts: 3 })
  })

  test('an event can be published through the context of another handler', () => {
    void events.subscribe(
      'order.paid',
      (_, context) => events.publish('user.created', { userId: '1' }, { via: context }),
      { group },
    )
  })
})

describe('a type map that would not survive JSON', () => {
  test('is refused', () => {
    // @ts-expect-error -- a Date
    createEventBus<{ 'order.created': { at: Date } }>(transport, 'events')
    // @ts-expect-error -- a Map
    createEventBus<{ 'order.created': { items: Map<string, number> } }>(transport, 'events')
    // @ts-expect-error -- a function
    createEventBus<{ 'order.created': { done: () => void } }>(transport, 'events')
    // @ts-expect-error -- a bigint
    createEventBus<{ 'order.created': { total: bigint } }>(transport, 'events')
  })
})

describe('with schemas', () => {
  const events = createEventBus(transport, 'events', {
    schemas: {
      'order.created': z.object({ at: z.iso.datetime().transform((text) => new Date(text)) }),
      'order.paid': z.object({ total: z.number().default(0) }),
    },
  })

  test('publishers give the input type', () => {
    void events.publish('order.created', { at: '2026-01-01T00:00:00Z' })
    void events.publish('order.paid', {})
    // @ts-expect-error -- the output type
    void events.publish('order.created', { at: new Date() })
  })

  test('handlers get the output type', () => {
    void events.subscribe(
      '#',
      (event) => {
        if (event.type === 'order.created') expectTypeOf(event.data).toEqualTypeOf<{ at: Date }>()
        else expectTypeOf(event.data).toEqualTypeOf<{ total: number }>()
      },
      { group, unknownEvents: 'ignore' },
    )
  })

  test('an input that would not survive JSON is refused', () => {
    // @ts-expect-error -- z.date() takes a Date, and a string arrives
    createEventBus(transport, 'events', { schemas: { a: z.object({ at: z.date() }) } })
  })
})

test('without a type map, names are free and data is unknown', () => {
  const events = createEventBus(transport, 'events')
  void events.publish('anything', { a: 1 })
  void events.subscribe('any.#', (event) => expectTypeOf(event).toEqualTypeOf<Message>(), { group })
  void events.subscribe(
    'any.thing',
    (event) => expectTypeOf(event).toEqualTypeOf<Message<unknown, 'any.thing'>>(),
    { group },
  )
})
