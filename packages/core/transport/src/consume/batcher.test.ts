import { describe, expect, test } from 'vitest'
import type { Message } from '../contract/message.ts'
import type { BatchContext, BatchHandler } from '../contract/middleware.ts'
import type { Settlement } from '../contract/settlement.ts'
import { PosthornError } from '../errors.ts'
import { createVirtualClock, type VirtualClock } from '../testing.ts'
import { Batcher } from './batcher.ts'
import { makeRun } from '../../test/make-run.ts'
import { receivedMessage } from './received-message.ts'
import type { Run } from './run.ts'
import { retryAfter } from './settlement.ts'

interface Setting {
  readonly clock: VirtualClock
  readonly batcher: Batcher
  readonly batches: string[][]
  concurrency: number
  /** Answers with the settlement, or `error: …`. */
  readonly put: (id: string) => { readonly run: Run; readonly answer: Promise<string> }
}

function create(
  handler: (messages: readonly Message[], context: BatchContext) => unknown = () => undefined,
): Setting {
  const clock = createVirtualClock({ startAt: 0 })
  const batches: string[][] = []
  const handle: BatchHandler = (messages, context) => {
    batches.push(messages.map(({ id }) => id))
    return handler(messages, context)
  }
  const setting: Setting = {
    clock,
    batches,
    concurrency: 1,
    batcher: new Batcher({
      source: 'orders',
      clock,
      handler: handle as BatchHandler<never>,
      max: 3,
      waitMs: 100,
      concurrency: () => setting.concurrency,
      begun: () => undefined,
    }),
    put(id) {
      const run = makeRun({ wire: { id } })
      const message = receivedMessage(run.wire, id, 'orders')
      const answer = Promise.resolve(setting.batcher.next(message, run)).then(
        (settlement: Settlement) => settlement.verb,
        (error: unknown) => `error: ${(error as Error).message}`,
      )
      return { run, answer }
    },
  }
  return setting
}

const never = (): Promise<never> => new Promise(() => {})

describe('Batcher', () => {
  test('hands over a batch when it is full, at once', async () => {
    const { batches, put, clock } = create()
    const answers = ['a', 'b', 'c', 'd'].map((id) => put(id).answer)
    expect(batches).toEqual([['a', 'b', 'c']])
    expect(await Promise.all(answers.slice(0, 3))).toEqual(['ack', 'ack', 'ack'])
    await clock.advance(99)
    expect(batches).toHaveLength(1)
    await clock.advance(1)
    expect(batches).toEqual([['a', 'b', 'c'], ['d']])
  })

  test('lets the first message wait no longer than it should, whenever the others came', async () => {
    const { batches, put, clock } = create()
    void put('a')
    await clock.advance(60)
    void put('b')
    await clock.advance(40)
    expect(batches).toEqual([['a', 'b']])
    expect(clock.pending).toBe(0)
  })

  test('calls the handler no more often at a time than it may, and at once when one ends', async () => {
    const ends: (() => void)[] = []
    const setting = create(() => new Promise<void>((resolve) => ends.push(resolve)))
    const { batches, put, clock } = setting
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) void put(id)
    await clock.advance(1_000)
    expect(batches).toEqual([['a', 'b', 'c']])
    setting.concurrency = 2
    setting.batcher.begin()
    expect(batches).toEqual([
      ['a', 'b', 'c'],
      ['d', 'e', 'f'],
    ])
    expect([setting.batcher.full, setting.batcher.waiting]).toEqual([true, 1])
    ends[0]?.()
    await clock.advance(0)
    expect(batches).toEqual([['a', 'b', 'c'], ['d', 'e', 'f'], ['g']])
  })

  test('gives each message its own answer, and those without one an ack', async () => {
    const { put } = create((_, { contexts }) => [
      contexts[0]?.retry(),
      'done',
      contexts[2]?.deadLetter({ reason: 'no' }),
    ])
    const answers = ['a', 'b', 'c'].map((id) => put(id).answer)
    expect(await Promise.all(answers)).toEqual(['retry', 'ack', 'deadLetter'])
  })

  test.each<[string, () => unknown, string]>([
    ['a settlement for all', () => retryAfter(5, undefined), 'retry'],
    ['nothing', () => undefined, 'ack'],
    ['an array of something else', () => [1, 2], 'ack'],
    [
      'a throw',
      () => {
        throw new Error('no')
      },
      'error: no',
    ],
    ['a rejection', () => Promise.reject(new Error('no')), 'error: no'],
    [
      'too few settlements',
      () => [retryAfter(5, undefined)],
      'error: The batch handler of "orders" answered 1 items for 3 messages, settlements among them. Return one item for each message, in order.',
    ],
  ])('takes %s for each', async (_, handler, expected) => {
    const { put } = create(handler)
    const answers = ['a', 'b', 'c'].map((id) => put(id).answer)
    expect(await Promise.all(answers)).toEqual([expected, expected, expected])
  })

  test('leaves out what was lost while it waited', async () => {
    const { batches, put, clock } = create()
    const [lost, other] = [put('a'), put('b')]
    lost.run.lose(new PosthornError('POSTHORN_LEASE_LOST', 'gone'))
    await clock.advance(100)
    expect(batches).toEqual([['b']])
    expect([await lost.answer, await other.answer]).toEqual(['release', 'ack'])
  })

  test('begins nothing when all that waited was lost', async () => {
    const { batches, put, clock, batcher } = create()
    const { run, answer } = put('a')
    run.lose(new PosthornError('POSTHORN_LEASE_LOST', 'gone'))
    await clock.advance(100)
    expect([batches, await answer, batcher.full]).toEqual([[], 'release', false])
    void put('b')
    await clock.advance(100)
    expect(batches).toEqual([['b']])
  })

  test('sends away what a shutdown has given up, also behind a batch that hangs, and keeps no timer', async () => {
    const setting = create(never)
    const { put, clock, batcher } = setting
    for (const id of ['a', 'b', 'c']) void put(id)
    const { run, answer } = put('d')
    run.shutDown = true
    batcher.purge()
    expect(await answer).toBe('release')
    expect([batcher.waiting, clock.pending]).toEqual([0, 0])
  })

  test('begins at once what is asked for, full or not', () => {
    const { batches, put, batcher, clock } = create(never)
    batcher.flush()
    void put('a')
    expect(batches).toEqual([])
    batcher.flush()
    expect(batches).toEqual([['a']])
    expect(clock.pending).toBe(0)
  })

  test('counts the time of a handler from the beginning of its batch', async () => {
    const { put, clock } = create(never)
    const { run } = put('a')
    expect(run.startedAt).toBe(Infinity)
    await clock.advance(100)
    expect(run.startedAt).toBe(100)
  })

  test('aborts the signal of a batch when that of one of its messages does', async () => {
    let signal: AbortSignal | undefined
    const { put } = create((_, context) => {
      signal = context.signal
      expect([context.source, context.contexts.length]).toEqual(['orders', 3])
      return never()
    })
    const runs = ['a', 'b', 'c'].map((id) => put(id).run)
    expect(signal?.aborted).toBe(false)
    runs[1]?.abort(new PosthornError('POSTHORN_CLOSED', 'closing'))
    expect(signal?.aborted).toBe(true)
  })
})
