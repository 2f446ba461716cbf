import type { Context, Message, Middleware, Transport } from '@posthorn/transport'
import { describe, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { createWorkQueue, type WorkQueue, type Worker } from './index.ts'

declare const transport: Transport
declare const middleware: Middleware

interface Tasks {
  email: { to: string; subject?: string }
  'resize-image': { imageId: string; width: number }
}

describe('with a type map', () => {
  const tasks = createWorkQueue<Tasks>(transport, 'tasks')

  test('an interface is a type map', () => {
    expectTypeOf(tasks).toEqualTypeOf<WorkQueue<Tasks>>()
  })

  test('data has to fit its task', () => {
    void tasks.add('email', { to: 'a@b.c' })
    void tasks.add('email', { to: 'a@b.c' }, { delayMs: 5, priority: 9, key: 'a', id: '1', timeoutMs: 100 })
    // @ts-expect-error -- `to` is missing
    void tasks.add('email', { imageId: '1' })
    // @ts-expect-error -- a field that the task does not have
    void tasks.add('email', { to: 'a@b.c', cc: 'd@e.f' })
    // @ts-expect-error -- no such task
    void tasks.add('emial', { to: 'a@b.c' })
    // @ts-expect-error -- no such option
    void tasks.add('email', { to: 'a@b.c' }, { delay: 5 })
  })

  test('each task of a batch has the data of its own type', () => {
    void tasks.addMany([
      { type: 'email', data: { to: 'a@b.c' }, priority: 1 },
      { type: 'resize-image', data: { imageId: '1', width: 10 } },
    ])
    // @ts-expect-error -- the data of another task
    void tasks.addMany([{ type: 'email', data: { imageId: '1', width: 10 } }])
  })

  test('each handler gets its own data and name', () => {
    void tasks.work({
      email: (message, context) => {
        expectTypeOf(message).toEqualTypeOf<Message<Tasks['email'], 'email'>>()
        expectTypeOf(context).toEqualTypeOf<Context>()
      },
      'resize-image': ({ data }) => expectTypeOf(data.width).toEqualTypeOf<number>(),
    })
  })

  test('every task has a handler, and no other has one', () => {
    // @ts-expect-error -- no handler for resize-image
    void tasks.work({ email: () => {} })
    // @ts-expect-error -- no such task
    void tasks.work({ email: () => {}, 'resize-image': () => {}, 'resize-imgae': () => {} })
  })

  test('a worker takes any middleware, and types only of its own', async () => {
    const worker = await tasks.work(
      { email: () => {}, 'resize-image': () => {} },
      { use: [middleware], concurrency: 2 },
    )
    expectTypeOf(worker).toEqualTypeOf<Worker<'email' | 'resize-image'>>()
    worker.pause({ types: ['email'] })
    // @ts-expect-error -- no such task
    worker.pause({ types: ['emial'] })
  })

  test('what has no meaning for a queue of tasks is no option', () => {
    // @ts-expect-error -- only a group starts somewhere
    void tasks.work({ email: () => {}, 'resize-image': () => {} }, { from: 'earliest' })
    // @ts-expect-error -- a handler gets one task
    void tasks.work({ email: () => {}, 'resize-image': () => {} }, { batch: { max: 2 } })
  })

  test('a task can be added through the context of another handler', () => {
    void tasks.work({
      email: (_, context) => tasks.add('resize-image', { imageId: '1', width: 1 }, { via: context }),
      'resize-image': () => {},
    })
  })
})

describe('a type map that would not survive JSON', () => {
  test('is refused for a Date, a Map, a function, a bigint', () => {
    // @ts-expect-error -- a Date
    createWorkQueue<{ remind: { at: Date } }>(transport, 'tasks')
    // @ts-expect-error -- a Date, far inside
    createWorkQueue<{ remind: { times: { at: Date }[] } }>(transport, 'tasks')
    // @ts-expect-error -- a Map
    createWorkQueue<{ count: { byName: Map<string, number> } }>(transport, 'tasks')
    // @ts-expect-error -- a function
    createWorkQueue<{ call: { back: () => void } }>(transport, 'tasks')
    // @ts-expect-error -- a bigint
    createWorkQueue<{ pay: { cents: bigint } }>(transport, 'tasks')
    // @ts-expect-error -- no data at all
    createWorkQueue<{ tidy: undefined }>(transport, 'tasks')
  })

  test('is refused for one bad task among good ones', () => {
    interface Mixed extends Tasks {
      remind: { at: Date }
    }
    // @ts-expect-error -- a Date
    createWorkQueue<Mixed>(transport, 'tasks')
  })

  test('is refused where it is no object', () => {
    // @ts-expect-error -- a string
    createWorkQueue<string>(transport, 'tasks')
  })
})

describe('with schemas', () => {
  const email = z.object({ to: z.email(), at: z.iso.datetime().transform((text) => new Date(text)) })
  const tidy = z.object({ days: z.number().default(30) })
  const tasks = createWorkQueue(transport, 'tasks', { schemas: { email, tidy } })

  test('producers give the input type', () => {
    void tasks.add('email', { to: 'a@b.c', at: '2026-01-01T00:00:00Z' })
    void tasks.add('tidy', {})
    // @ts-expect-error -- the output type
    void tasks.add('email', { to: 'a@b.c', at: new Date() })
    // @ts-expect-error -- no such task
    void tasks.add('emial', {})
  })

  test('handlers get the output type', () => {
    void tasks.work({
      email: ({ data }) => expectTypeOf(data).toEqualTypeOf<{ to: string; at: Date }>(),
      tidy: ({ data }) => expectTypeOf(data).toEqualTypeOf<{ days: number }>(),
    })
  })

  test('an input that would not survive JSON is refused', () => {
    // @ts-expect-error -- z.date() takes a Date, and a string arrives
    createWorkQueue(transport, 'tasks', { schemas: { remind: z.object({ at: z.date() }) } })
    // What is coerced takes anything.
    createWorkQueue(transport, 'tasks', { schemas: { remind: z.object({ at: z.coerce.date() }) } })
  })

  test('a schema for each task of a given type map is taken', () => {
    const schemas = {
      email: z.object({ to: z.string(), subject: z.string().exactOptional() }),
      'resize-image': z.object({ imageId: z.string(), width: z.number() }),
    }
    expectTypeOf(createWorkQueue<Tasks>(transport, 'tasks', { schemas })).toEqualTypeOf<WorkQueue<Tasks>>()
    // @ts-expect-error -- none for resize-image
    createWorkQueue<Tasks>(transport, 'tasks', { schemas: { email: schemas.email } })
    const other = { ...schemas, email: z.object({ to: z.number() }) }
    // @ts-expect-error -- it gives something else
    createWorkQueue<Tasks>(transport, 'tasks', { schemas: other })
  })

  test('what is no schema is refused', () => {
    // @ts-expect-error -- a function
    createWorkQueue(transport, 'tasks', { schemas: { email: (data: unknown) => data } })
  })
})

test('without a type map, names are free and data is unknown', () => {
  const tasks = createWorkQueue(transport, 'tasks')
  void tasks.add('anything', { a: 1 })
  void tasks.work({ anything: ({ data }) => expectTypeOf(data).toEqualTypeOf<unknown>() })
})
