import { beforeEach, describe, expect, test } from 'vitest'
import { fakeCapabilities } from '../../test/fake-driver.ts'
import { PublisherBench } from '../../test/publisher-bench.ts'
import { wireMessage } from '../../test/wire-message.ts'
import { jsonCodec } from '../codec/json-codec.ts'
import type { OutgoingMessage } from '../contract/message.ts'
import type { PublishBatch, PublishMiddleware } from '../contract/middleware.ts'
import { PartialPublishError, PosthornError } from '../errors.ts'
import { createIdFactory } from '../message/create-id.ts'
import { createMessagePreparer } from '../message/prepare-message.ts'
import { Sender, type SenderOptions } from './sender.ts'

let bench: PublisherBench
let shards: Record<string, number>

beforeEach(() => {
  bench = new PublisherBench()
  bench.connection!.onPublish = (call) => call.answer(call.batch.map(() => 'confirmed'))
  shards = {}
})

function create(changed: Partial<SenderOptions> = {}): Sender {
  const { clock, publisher } = bench
  return new Sender({
    clock,
    publisher,
    sendTimeoutMs: 30_000,
    limits: { maxInFlight: 10_000, maxInFlightBytes: 1_000_000 },
    middleware: [],
    shardsOf: (queue) => shards[queue] ?? 1,
    refuse: () => {},
    prepare: createMessagePreparer({
      clock,
      codec: jsonCodec,
      createId: createIdFactory(clock),
      broker: () => ({ name: 'fake', version: undefined, capabilities: fakeCapabilities() }),
    }),
    ...changed,
  })
}

const full = new PosthornError('POSTHORN_QUEUE_FULL', 'It is full.', {
  phase: 'publish',
  outcome: 'rejected',
  retryable: true,
})
const lost = new PosthornError('POSTHORN_TIMEOUT', 'No confirm.', {
  phase: 'publish',
  outcome: 'unknown',
  retryable: true,
})
const closed = new PosthornError('POSTHORN_CLOSED', 'It is closed.', { phase: 'connect' })

async function failure(call: Promise<unknown>): Promise<PosthornError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(PosthornError)
  return error as PosthornError
}

describe('a send', () => {
  test('goes to a queue, an inbox or a topic, by its name', async () => {
    shards = { orders: 4 }
    const sender = create()
    await sender.one('send', 'orders', { data: 1 }, undefined)
    await sender.one('send', 'inbox/1', { data: 1 }, undefined)
    await sender.one('publish', 'orders', { data: 1 }, undefined)
    expect(bench.calls.map(({ destination }) => destination)).toEqual([
      { kind: 'queue', name: 'orders', shards: 4 },
      { kind: 'inbox', name: 'inbox/1' },
      { kind: 'topic', name: 'orders' },
    ])
  })

  test('finds a destination that was declared meanwhile as it is now', async () => {
    const sender = create()
    await sender.one('send', 'orders', { data: 1 }, undefined)
    shards = { orders: 4 }
    sender.forgetDestinations()
    await sender.one('send', 'orders', { data: 1 }, undefined)
    expect(bench.calls.map(({ destination }) => destination)).toMatchObject([{ shards: 1 }, { shards: 4 }])
  })

  test('is refused, as rejected, with a bad name, message or option, or when nothing can be sent', async () => {
    const sender = create()
    const cases = [
      [sender.one('send', 'a b', { data: 1 }, undefined), 'POSTHORN_INVALID_NAME'],
      [sender.one('publish', 'inbox/1', { data: 1 }, undefined), 'POSTHORN_INVALID_NAME'],
      [sender.one('send', 'orders', { data: () => {} }, undefined), 'POSTHORN_INVALID_DATA'],
      [sender.one('send', 'orders', { data: 1 }, { timeout: 5 } as never), 'POSTHORN_UNKNOWN_OPTION'],
      [sender.one('send', 'orders', { data: 1 }, null as never), 'POSTHORN_INVALID_OPTION'],
      [
        create({
          refuse: () => {
            throw closed
          },
        }).one('send', 'orders', { data: 1 }, undefined),
        'POSTHORN_CLOSED',
      ],
      [
        create({
          prepare: () => {
            throw new TypeError('broken')
          },
        }).one('send', 'orders', { data: 1 }, undefined),
        'POSTHORN_DEFECT',
      ],
    ] as const
    for (const [call, code] of cases) expect(await failure(call)).toMatchObject({ code, outcome: 'rejected' })
    expect(bench.calls).toEqual([])
  })

  test('remembers ten thousand destinations at most', async () => {
    let asked = 0
    const sender = create({ shardsOf: () => ++asked })
    for (let index = 0; index <= 10_000; index++) void sender.one('send', `q${index}`, { data: 1 }, undefined)
    void sender.one('send', 'q10000', { data: 1 }, undefined)
    expect(asked).toBe(10_001)
    void sender.one('send', 'q0', { data: 1 }, undefined)
    expect(asked).toBe(10_002)
    await bench.turn()
  })
})

describe('a batch', () => {
  const three: readonly OutgoingMessage[] = [{ data: 1 }, { data: 2 }, { data: 3 }]

  test('is one call of the driver, and resolves when all are confirmed', async () => {
    await create().many('send', 'orders', three, undefined)
    expect(bench.batches.map((ids) => ids.length)).toEqual([3])
  })

  test('of none is fine, but not for a bad name, or when nothing can be sent', async () => {
    await create().many('send', 'orders', [], undefined)
    expect((await failure(create().many('send', 'a b', [], undefined))).code).toBe('POSTHORN_INVALID_NAME')
    const over = create({
      refuse: () => {
        throw closed
      },
    })
    expect((await failure(over.many('send', 'orders', [], undefined))).code).toBe('POSTHORN_CLOSED')
    expect(bench.calls).toEqual([])
  })

  test('tells the outcome of each of its messages, in their order', async () => {
    bench.connection!.onPublish = (call) => call.answer(['confirmed', full, lost])
    const messages = [{ data: 1 }, { data: 2n }, { data: 3 }, { data: 4 }]
    const error = (await failure(create().many('send', 'orders', messages, undefined))) as PartialPublishError
    expect(error).toBeInstanceOf(PartialPublishError)
    expect(error.outcomes).toEqual([
      'confirmed',
      expect.objectContaining({ code: 'POSTHORN_INVALID_DATA', outcome: 'rejected' }),
      full,
      lost,
    ])
    expect(error.outcome).toBe('unknown')
  })

  test('of one is a batch all the same', async () => {
    bench.connection!.onPublish = (call) => call.answer([full])
    const error = (await failure(
      create().many('publish', 'events', [{ data: 1 }], undefined),
    )) as PartialPublishError
    expect(error.code).toBe('POSTHORN_PARTIAL_PUBLISH')
    expect(error.outcomes).toEqual([full])
  })

  test('that cannot be sent as a whole is refused as a whole', async () => {
    const over = create({
      refuse: () => {
        throw closed
      },
    })
    expect(await failure(over.many('send', 'orders', three, undefined))).toMatchObject({
      code: 'POSTHORN_CLOSED',
      outcome: 'rejected',
    })
    expect((await failure(create().many('send', 'a b', three, undefined))).code).toBe('POSTHORN_INVALID_NAME')
    expect((await failure(create().many('send', 'orders', three, { timeoutMs: -1 }))).code).toBe(
      'POSTHORN_INVALID_OPTION',
    )
    expect(
      (await failure(create().many('send', 'orders', { data: 1 } as never, undefined))).message,
    ).toContain('sendMany("orders") takes an array')
    expect(bench.calls).toEqual([])
  })

  test('whose signal is aborted tells so for each', async () => {
    const error = (await failure(
      create().many('send', 'orders', three, { signal: AbortSignal.abort() }),
    )) as PartialPublishError
    expect(error.outcomes).toMatchObject(three.map(() => ({ code: 'POSTHORN_ABORTED', outcome: 'rejected' })))
  })
})

describe('middleware', () => {
  let seen: string[]

  beforeEach(() => {
    seen = []
  })

  function note(name: string, phase: PublishMiddleware['phase']): PublishMiddleware {
    return {
      name,
      phase,
      wrap: (next) => async (batch) => {
        seen.push(`${name}: ${batch.kind} ${batch.messages.length} to ${batch.destination}`)
        await next(batch)
        seen.push(`${name}: done`)
      },
    }
  }

  test('sees every send and batch, what observes around what guards', async () => {
    const sender = create({ middleware: [note('breaker', 'guard'), note('metrics', 'observe')] })
    await sender.one('send', 'orders', { data: 1 }, undefined)
    await sender.many('publish', 'events', [{ data: 1 }, { data: 2 }], undefined)
    expect(seen).toEqual([
      'metrics: send 1 to orders',
      'breaker: send 1 to orders',
      'breaker: done',
      'metrics: done',
      'metrics: publish 2 to events',
      'breaker: publish 2 to events',
      'breaker: done',
      'metrics: done',
    ])
  })

  function refusing(error: unknown): PublishMiddleware {
    return {
      name: 'breaker',
      phase: 'guard',
      wrap: () => () => {
        throw error
      },
    }
  }

  test('that throws rejects the send, which never throws', async () => {
    const sender = create({ middleware: [refusing(full)] })
    const call = sender.one('send', 'orders', { data: 1 }, undefined)
    await expect(call).rejects.toBe(full)
  })

  test('that refuses a batch refuses each of its messages', async () => {
    const sender = create({ middleware: [refusing(full)] })
    const error = (await failure(
      sender.many('send', 'orders', [{ data: 1 }, { data: 2 }], undefined),
    )) as PartialPublishError
    expect(error.outcomes).toEqual([full, full])
    expect(error.outcome).toBe('rejected')
  })

  test('around a batch of one leaves its error a batch of one', async () => {
    bench.connection!.onPublish = (call) => call.answer([lost])
    const errors: unknown[] = []
    const watching: PublishMiddleware = {
      name: 'watching',
      phase: 'observe',
      wrap: (next) => async (batch: PublishBatch) => {
        await next(batch).catch((error: unknown) => {
          errors.push(error)
          throw error
        })
      },
    }
    const sender = create({ middleware: [watching] })
    await expect(sender.one('send', 'orders', { data: 1 }, undefined)).rejects.toBe(lost)
    const error = (await failure(
      sender.many('send', 'orders', [{ data: 1 }], undefined),
    )) as PartialPublishError
    expect(error.outcomes).toEqual([lost])
    expect(errors).toEqual([lost, lost])
  })

  test.each([
    ['with an error of its own', new TypeError('broken')],
    ['because it is closed', closed],
    ['with outcomes already', new PartialPublishError('orders', [full])],
  ])('that fails a batch %s is told as it is', async (_what, error) => {
    const sender = create({ middleware: [refusing(error)] })
    await expect(sender.many('send', 'orders', [{ data: 1 }], undefined)).rejects.toBe(error)
  })
})

describe('what a handler sends', () => {
  const cause = wireMessage('cause-1', 10, { correlationId: 'flow-1' })
  const put = (sender: Sender, message: OutgoingMessage, idMadeUp = false, ordinal = 0): Promise<void> =>
    sender.output({ ...cause, idMadeUp }, 'orders', ordinal, {
      kind: 'send',
      destination: 'bills',
      message,
      options: undefined,
    })
  const written = (): readonly ReturnType<typeof wireMessage>[] => bench.calls.flatMap(({ batch }) => batch)

  test('is caused by its message, and has the same id on every attempt', async () => {
    await put(create(), { data: 1 })
    await put(create(), { data: 1 })
    await put(create(), { data: 1 }, false, 1)
    const [first, again, other] = written()
    expect(first).toMatchObject({ causationId: 'cause-1', correlationId: 'flow-1' })
    expect(again?.id).toBe(first?.id)
    expect(other?.id).not.toBe(first?.id)
  })

  test('keeps what the handler says of it', async () => {
    await put(create(), { data: 1, id: 'mine', causationId: 'another', correlationId: 'own' })
    expect(written()[0]).toMatchObject({ id: 'mine', causationId: 'another', correlationId: 'own' })
  })

  test('has its derived id also where the handler leaves the id undefined', async () => {
    const sender = create()
    await put(sender, { data: 1 })
    await put(sender, { data: 1, id: undefined, causationId: undefined, correlationId: undefined } as never)
    const [first, second] = written()
    expect(second).toMatchObject({ id: first?.id, causationId: 'cause-1', correlationId: 'flow-1' })
  })

  test('of a message without an identity has a new id each time', async () => {
    await put(create(), { data: 1 }, true)
    await put(create(), { data: 1 }, true)
    const [first, second] = written()
    expect(first?.id).not.toBe(second?.id)
  })

  test('is refused where it is no message', async () => {
    for (const message of [undefined, null, 'hello']) {
      expect(await failure(put(create(), message as never))).toMatchObject({
        code: 'POSTHORN_INVALID_MESSAGE',
        outcome: 'rejected',
      })
    }
  })
})
