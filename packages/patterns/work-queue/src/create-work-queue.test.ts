import { PartialPublishError, type Middleware, type Transport } from '@posthorn/transport'
import { createMemoryBroker, memory } from '@posthorn/transport/memory'
import { createVirtualClock, type VirtualClock } from '@posthorn/transport/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createWorkQueue } from './index.ts'

interface Tasks {
  email: { to: string }
  'resize-image': { imageId: string }
}

let clock: VirtualClock
let transport: Transport
beforeEach(async () => {
  clock = createVirtualClock()
  transport = await memory({ clock })
})

const deadLetters = async (queue = 'tasks') => (await transport.deadLetters(queue).page()).entries

describe('adding and handling', () => {
  test('hands each task to the handler of its name', async () => {
    const tasks = createWorkQueue<Tasks>(transport, 'tasks')
    const seen: string[] = []
    await tasks.work({
      email: ({ data }) => seen.push(`to ${data.to}`),
      'resize-image': ({ data }) => seen.push(`image ${data.imageId}`),
    })
    await tasks.add('email', { to: 'a@b.c' })
    await tasks.addMany([
      { type: 'resize-image', data: { imageId: '1' } },
      { type: 'email', data: { to: 'd@e.f' } },
    ])
    await clock.advance(0)
    expect(seen).toEqual(['to a@b.c', 'image 1', 'to d@e.f'])
  })

  test('everything that a task can have arrives with it', async () => {
    const tasks = createWorkQueue<Tasks>(transport, 'tasks')
    const messages: unknown[] = []
    await tasks.work({ email: (message) => messages.push(message), 'resize-image': () => {} })
    const expiresAt = clock.now() + 60_000
    const options = {
      id: 'task-1',
      key: 'k',
      priority: 7,
      correlationId: 'c',
      expiresAt,
      headers: { trace: 't' },
    }
    await tasks.add('email', { to: 'a@b.c' }, options)
    await tasks.addMany([{ type: 'email', data: { to: 'a@b.c' }, ...options }])
    await clock.advance(0)
    const wanted = expect.objectContaining({
      type: 'email',
      data: { to: 'a@b.c' },
      ...options,
      headers: { __proto__: null, trace: 't' },
    })
    expect(messages).toEqual([wanted, wanted])
  })

  test('a delayed task is handled when its time has come', async () => {
    const tasks = createWorkQueue<Tasks>(transport, 'tasks')
    const times: number[] = []
    await tasks.work({ email: () => times.push(clock.now()), 'resize-image': () => {} })
    const addedAt = clock.now()
    await tasks.add('email', { to: 'a@b.c' }, { delayMs: 3 * 24 * 3_600_000 })
    await clock.advance(3 * 24 * 3_600_000)
    expect(times).toEqual([addedAt + 3 * 24 * 3_600_000])
  })

  test('nothing stays behind when a task is done', async () => {
    const broker = createMemoryBroker({ clock })
    const tasks = createWorkQueue<Tasks>(await broker.connect(), 'tasks')
    let failures = 2
    await tasks.work({
      email: () => {
        if (failures-- > 0) throw new Error('busy')
      },
      'resize-image': () => {},
    })
    await tasks.add('email', { to: 'a@b.c' }, { delayMs: 1_000, id: '1', key: 'k' })
    await clock.advance(60_000)
    expect(failures).toBe(-1)
    expect(broker.raw.messages('tasks')).toEqual([])
    expect(broker.raw.messages('tasks.dlq')).toEqual([])
    expect((await tasks.stats()).depth).toMatchObject({ ready: 0, delayed: 0, inFlight: 0, deadLettered: 0 })
  })

  test('a failing task is tried again, and dead-lettered after its last attempt', async () => {
    const tasks = createWorkQueue<Tasks>(transport, 'tasks')
    const attempts: number[] = []
    const email = (_: unknown, context: { attempt: number }): never => {
      attempts.push(context.attempt)
      throw new Error('no route to host')
    }
    await tasks.work({ email, 'resize-image': () => {} }, { maxAttempts: 3 })
    await tasks.add('email', { to: 'a@b.c' })
    await clock.advance(600_000)
    expect(attempts).toEqual([1, 2, 3])
    expect(await deadLetters()).toMatchObject([
      {
        type: 'email',
        reason: 'attempts-exhausted',
        attempts: 3,
        handler: 'tasks worker',
        error: { message: 'no route to host' },
      },
    ])
  })

  test('any middleware sees the tasks', async () => {
    const tasks = createWorkQueue<Tasks>(transport, 'tasks')
    const seen: string[] = []
    const log: Middleware = {
      name: 'log',
      phase: 'guard',
      wrap: (next) => (message, context) => {
        seen.push(message.type)
        return next(message, context)
      },
    }
    await tasks.work({ email: () => {}, 'resize-image': () => {} }, { use: [log] })
    await tasks.add('email', { to: 'a@b.c' })
    await clock.advance(0)
    expect(seen).toEqual(['email'])
  })

  test('adds of the same turn travel together, with schemas too', async () => {
    const batches: number[] = []
    const driver = createMemoryBroker({ clock }).driver()
    const { createTransport } = await import('@posthorn/transport')
    const counting = await createTransport(
      {
        ...driver,
        connect: async (host) => {
          const connection = await driver.connect(host)
          const publish = connection.publish.bind(connection)
          return Object.assign(connection, {
            publish: (...given: Parameters<typeof publish>) => {
              batches.push(given[1].length)
              return publish(...given)
            },
          })
        },
      },
      { clock },
    )
    const tasks = createWorkQueue(counting, 'tasks', { schemas: { email: z.object({ to: z.string() }) } })
    await Promise.all([
      tasks.add('email', { to: '1' }),
      tasks.add('email', { to: '2' }),
      tasks.add('email', { to: '3' }),
    ])
    expect(batches).toEqual([3])
  })

  test('a task added through a context is caused by its message and the same on every attempt', async () => {
    const tasks = createWorkQueue<Tasks>(transport, 'tasks')
    const added: { id: string; cause: string | undefined }[] = []
    await tasks.work({
      email: async (_, context) => {
        await tasks.add('resize-image', { imageId: '1' }, { via: context })
        if (context.attempt === 1) throw new Error('after the add')
      },
      'resize-image': ({ id, causationId }) => added.push({ id, cause: causationId }),
    })
    await tasks.add('email', { to: 'a@b.c' }, { id: 'cause' })
    await clock.advance(60_000)
    expect(added).toHaveLength(2)
    expect(added[0]).toEqual(added[1])
    expect(added[0]?.cause).toBe('cause')
  })
})

describe('a task that no handler is for', () => {
  test('is dead-lettered at once, with the handlers that there are', async () => {
    const tasks = createWorkQueue<Tasks>(transport, 'tasks')
    await tasks.work({ email: () => {}, 'resize-image': () => {} })
    await transport.send('tasks', { type: 'tidy', data: null })
    await clock.advance(0)
    expect(await deadLetters()).toMatchObject([
      {
        type: 'tidy',
        reason: 'no-handler: this worker knows email, resize-image',
        error: { code: 'POSTHORN_NO_HANDLER' },
      },
    ])
  })

  test('is not found on the prototype of the handlers', async () => {
    const tasks = createWorkQueue<Tasks>(transport, 'tasks')
    await tasks.work({ email: () => {}, 'resize-image': () => {} })
    await transport.send('tasks', { type: 'constructor', data: null })
    await transport.send('tasks', { type: '__proto__', data: null })
    await clock.advance(0)
    expect((await deadLetters()).map(({ type }) => type)).toEqual(['constructor', '__proto__'])
  })

  test('can be replayed once there is one', async () => {
    const old = createWorkQueue<Pick<Tasks, 'email'>>(transport, 'tasks')
    const worker = await old.work({ email: () => {} })
    const tasks = createWorkQueue<Tasks>(transport, 'tasks')
    await tasks.add('resize-image', { imageId: '1' })
    await clock.advance(0)
    await worker.stop()
    const resized: string[] = []
    await tasks.work({ email: () => {}, 'resize-image': ({ data }) => resized.push(data.imageId) })
    await transport.deadLetters('tasks').replay('all')
    await clock.advance(0)
    expect(resized).toEqual(['1'])
  })
})

describe('with schemas', () => {
  const schemas = {
    remind: z.object({ to: z.email(), at: z.iso.datetime().transform((text) => new Date(text)) }),
    tidy: z.object({ days: z.number().default(30) }),
  }

  test('what does not fit is refused when it is added, and not sent', async () => {
    const tasks = createWorkQueue(transport, 'tasks', { schemas })
    await expect(tasks.add('remind', { to: 'nobody', at: 'noon' })).rejects.toMatchObject({
      code: 'POSTHORN_SCHEMA_MISMATCH',
      outcome: 'rejected',
      message:
        'add to "tasks": The task "remind" does not fit its schema: to: Invalid email address; at: Invalid ISO datetime. Nothing was sent.',
    })
    await tasks.add('tidy', {})
    expect((await tasks.stats()).depth.ready).toBe(1)
  })

  test('a name that the schemas do not know is refused, with the near one', async () => {
    const tasks = createWorkQueue(transport, 'tasks', { schemas })
    await expect(tasks.add('remnid' as 'remind', { to: 'ada@example.org', at: '' })).rejects.toThrow(
      'there is no task "remnid". Did you mean "remind"? Known: remind, tidy',
    )
    await expect(tasks.add('constructor' as 'remind', { to: 'ada@example.org', at: '' })).rejects.toThrow(
      'there is no task "constructor"',
    )
  })

  test('one that does not fit keeps its whole batch from being sent', async () => {
    const tasks = createWorkQueue(transport, 'tasks', { schemas })
    await tasks.add('tidy', {})
    const batch = [
      { type: 'tidy' as const, data: {} },
      { type: 'tidy' as const, data: { days: '7' as unknown as number } },
    ]
    await expect(tasks.addMany(batch)).rejects.toThrow(
      'task "tidy" at [1] does not fit its schema: days: Invalid input',
    )
    expect((await tasks.stats()).depth.ready).toBe(1)
  })

  test('the original travels, and the handler gets what the schema makes of it', async () => {
    const broker = createMemoryBroker({ clock })
    const tasks = createWorkQueue(await broker.connect(), 'tasks', { schemas })
    const seen: unknown[] = []
    await tasks.add('remind', { to: 'ada@example.org', at: '2026-05-01T12:00:00Z' })
    await tasks.add('tidy', {})
    expect(broker.raw.messages('tasks').map(({ message }) => new TextDecoder().decode(message.body))).toEqual(
      ['{"to":"ada@example.org","at":"2026-05-01T12:00:00Z"}', '{}'],
    )
    await tasks.work({ remind: ({ data }) => seen.push(data), tidy: ({ data }) => seen.push(data) })
    await clock.advance(0)
    expect(seen).toEqual([{ to: 'ada@example.org', at: new Date('2026-05-01T12:00:00Z') }, { days: 30 }])
  })

  test('what arrives and does not fit is dead-lettered at once with the issues, and never handled', async () => {
    const tasks = createWorkQueue(transport, 'tasks', { schemas })
    let handled = 0
    await tasks.work({ remind: () => handled++, tidy: () => handled++ })
    await transport.send('tasks', { type: 'tidy', data: { days: 'seven' } })
    await clock.advance(600_000)
    expect(handled).toBe(0)
    expect(await deadLetters()).toMatchObject([
      {
        reason: 'invalid-data: days: Invalid input: expected number, received string',
        attempts: 1,
        error: { code: 'POSTHORN_SCHEMA_MISMATCH' },
      },
    ])
  })

  test('an asynchronous schema is waited for, both ways', async () => {
    const known = new Set(['1'])
    const imageId = z.string().refine(async (id) => known.has(id), 'no such image')
    const tasks = createWorkQueue(transport, 'tasks', { schemas: { resize: z.object({ imageId }) } })
    const resized: string[] = []
    await tasks.work({ resize: ({ data }) => resized.push(data.imageId) })
    await tasks.add('resize', { imageId: '1' })
    await expect(tasks.add('resize', { imageId: '2' })).rejects.toThrow('imageId: no such image')
    await transport.send('tasks', { type: 'resize', data: { imageId: '2' } })
    await clock.advance(0)
    expect(resized).toEqual(['1'])
    expect(await deadLetters()).toMatchObject([{ reason: 'invalid-data: imageId: no such image' }])
  })

  test('a schema that throws fails the attempt, and the task is tried again', async () => {
    // Zod asks twice: a second time for a promise, when the first one threw.
    let outages = 2
    const greet = z.string().refine(() => {
      if (outages-- > 0) throw new Error('database down')
      return true
    })
    const tasks = createWorkQueue(transport, 'tasks', { schemas: { greet } })
    const greeted: unknown[] = []
    await transport.send('tasks', { type: 'greet', data: 'Ada' })
    await tasks.work({ greet: ({ data }, { attempt }) => greeted.push([data, attempt]) })
    await clock.advance(60_000)
    expect(greeted).toEqual([['Ada', 2]])
  })
})

describe('bad input is refused', () => {
  test('schemas that are none', () => {
    expect(() =>
      createWorkQueue(transport, 'tasks', { schemas: { email: z.string, tidy: {} } as never }),
    ).toThrow(
      'createWorkQueue("tasks").schemas must be an object with a Standard Schema (Zod, Valibot, ArkType, …) for each name, but is an object.',
    )
  })

  test('a transport that is none, or is still to come', () => {
    expect(() => createWorkQueue(Promise.resolve(transport) as never, 'tasks')).toThrow('Await it first')
    expect(() => createWorkQueue(undefined as never, 'tasks')).toThrow(
      'createWorkQueue("tasks") takes a transport, and got undefined',
    )
  })

  test('a task without a name', async () => {
    const tasks = createWorkQueue(transport, 'tasks')
    await expect(tasks.add(undefined as never, 1)).rejects.toThrow(
      'add to "tasks": the name of the task is missing',
    )
    await expect(tasks.addMany([{ data: 1 } as never])).rejects.toMatchObject({ outcome: 'rejected' })
    expect((await tasks.stats()).depth.ready).toBe(0)
  })

  test('an unknown option', () => {
    expect(() => createWorkQueue(transport, 'tasks', { schema: {} } as never)).toThrow(
      'Did you mean "schemas"?',
    )
  })

  test('an unknown field of a task', async () => {
    const tasks = createWorkQueue<Tasks>(transport, 'tasks')
    await expect(tasks.add('email', { to: 'a' }, { delay: 5 } as never)).rejects.toThrow(
      'A message has no field "delay"',
    )
  })

  test('handlers that are none', async () => {
    const tasks = createWorkQueue<Tasks>(transport, 'tasks')
    await expect(tasks.work({ email: () => {}, 'resize-image': 'later' } as never)).rejects.toThrow(
      'work("tasks") handlers.resize-image must be a function, but is "later".',
    )
    await expect(tasks.work((() => {}) as never)).rejects.toThrow(
      'must be a plain object, but are a function',
    )
    await expect(tasks.work({} as never)).rejects.toThrow('work("tasks") needs a handler')
  })

  test('with schemas, a handler that is missing or too many', async () => {
    const tasks = createWorkQueue(transport, 'tasks', { schemas: { email: z.string(), tidy: z.null() } })
    await expect(tasks.work({ email: () => {} } as never)).rejects.toThrow(
      'handlers.tidy must be a function, but is missing',
    )
    await expect(tasks.work({ email: () => {}, tidy: () => {}, tiddy: () => {} } as never)).rejects.toThrow(
      'Did you mean "tidy"?',
    )
  })
})

test('a batch of which some are not confirmed says which', async () => {
  const broker = createMemoryBroker({ clock })
  const tasks = createWorkQueue<Tasks>(await broker.connect(), 'tasks')
  broker.faults.rejectPublishes(1)
  const error: unknown = await tasks
    .addMany([
      { type: 'email', data: { to: '1' } },
      { type: 'email', data: { to: '2' } },
    ])
    .catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(PartialPublishError)
  expect((error as PartialPublishError).outcomes[1]).toBe('confirmed')
  expect((await tasks.stats()).added).toBe(1)
})
