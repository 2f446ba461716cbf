import { isPosthornError, type Message, type Transport } from '@posthorn/transport'
import { createMemoryBroker, type MemoryBroker } from '@posthorn/transport/memory'
import { createVirtualClock, type VirtualClock } from '@posthorn/transport/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { createDeadLetterTools, retry, type DeadLetterTools } from './index.ts'

interface Order {
  readonly n: number
  /** How its handler fails, until somebody mends that. */
  readonly fails?: string
}

let clock: VirtualClock
let broker: MemoryBroker
let transport: Transport
let mended: boolean
let handled: { readonly id: string; readonly n: number; readonly replays: number; readonly at: number }[]
let tools: DeadLetterTools

class Declined extends Error {
  override readonly name = 'Declined'
  readonly code = 'card_declined'
}

const handle = ({ id, data, replays }: Message<Order>): void => {
  if (data.fails !== undefined && !mended)
    throw data.fails === 'declined' ? new Declined('no money') : new TypeError(data.fails)
  handled.push({ id, n: data.n, replays, at: clock.now() })
}

const consume = (one: Transport): Promise<unknown> =>
  one.consume('orders', handle, { name: 'charge', use: [retry({ maxAttempts: 1 })] })

/** Sends orders, of which every one ends among the dead letters. */
async function bury(orders: readonly (Order & { type?: string; key?: string })[]): Promise<void> {
  await transport.sendMany(
    'orders',
    orders.map(({ type = 'order.created', key = 'k', ...data }) => ({
      id: `order-${data.n}`,
      type,
      key,
      data,
    })),
  )
  await clock.advance(1_000)
}

const failing = (count: number, fails = 'broken'): Order[] =>
  Array.from({ length: count }, (_, n) => ({ n, fails }))

/** Runs the clock until the call has ended. */
async function during<Result>(call: Promise<Result>, ms = 3_600_000): Promise<Result> {
  void call.catch(() => {})
  await clock.advance(ms)
  return call
}

beforeEach(async () => {
  clock = createVirtualClock()
  broker = createMemoryBroker({ clock })
  transport = await broker.connect({ name: 'first' })
  mended = false
  handled = []
  await consume(transport)
  tools = createDeadLetterTools(transport, 'orders')
})

const ids = (entries: readonly { readonly id: string }[]): string[] => entries.map(({ id }) => id)

describe('looking', () => {
  test('lists in pages, oldest first, and counts', async () => {
    await bury(failing(5))
    const first = await tools.list({ limit: 2 })
    const second = await tools.list({
      limit: 2,
      ...(first.cursor === undefined ? {} : { cursor: first.cursor }),
    })
    expect([ids(first.entries), ids(second.entries)]).toEqual([
      ['order-0', 'order-1'],
      ['order-2', 'order-3'],
    ])
    expect((await tools.list()).cursor).toBeUndefined()
    expect(await tools.count()).toBe(5)
    expect(await tools.count({ ids: ['order-1', 'order-9'] })).toBe(1)
  })

  test('lists as many as asked for that fit, however far apart they are', async () => {
    await bury(failing(40).map(({ n }) => ({ n, fails: n % 10 === 0 ? 'declined' : 'broken' })))
    const page = await tools.list({ limit: 3, filter: { errors: 'card_declined' } })
    expect(ids(page.entries)).toEqual(['order-0', 'order-10', 'order-20'])
    const rest = await tools.list({
      filter: { errors: 'Declined' },
      ...(page.cursor === undefined ? {} : { cursor: page.cursor }),
    })
    expect([ids(rest.entries), rest.cursor]).toEqual([['order-30'], undefined])
    const others = await tools.list({ limit: 4, filter: { errors: 'TypeError' } })
    expect(ids(others.entries)).toEqual(['order-1', 'order-2', 'order-3', 'order-4'])
  })

  test.each([
    [{ types: 'order.*' }, [0, 1]],
    [{ types: ['mail', 'x.#'] }, [2]],
    [{ keys: 'vip' }, [1]],
    [{ reasons: ['attempts-exhausted'] }, [0, 1, 2]],
    [{ reasons: 'undecodable' }, []],
    [{ errors: 'TypeError', types: 'mail' }, [2]],
    [{ handlers: 'charge' }, [0, 1, 2]],
    [{ handlers: 'other' }, []],
    [{ after: new Date(Date.UTC(2027, 0)) }, []],
    [{ before: Date.UTC(2027, 0), maxReplays: 0 }, [0, 1, 2]],
    [{ test: (entry: { id: string }) => entry.id.endsWith('2') }, [2]],
  ])('finds those that fit %o', async (filter, expected) => {
    await bury([
      { n: 0, fails: 'declined' },
      { n: 1, fails: 'declined', key: 'vip' },
      { n: 2, fails: 'broken', type: 'mail' },
    ])
    const { entries } = await tools.list({ filter })
    expect(ids(entries)).toEqual(expected.map((n) => `order-${n}`))
  })

  test('groups by error and handler, the largest first', async () => {
    await bury([...failing(3, 'declined'), { n: 3, fails: 'broken', type: 'mail' }])
    expect(await tools.groups()).toEqual({
      groups: [
        expect.objectContaining({
          reason: 'attempts-exhausted',
          errorName: 'Declined',
          errorCode: 'card_declined',
          handler: 'charge',
          count: 3,
          types: { 'order.created': 3 },
        }),
        expect.objectContaining({
          errorName: 'TypeError',
          errorCode: undefined,
          count: 1,
          types: { mail: 1 },
        }),
      ],
      ungrouped: 0,
    })
    expect((await tools.groups({ types: 'mail' })).groups.map(({ count }) => count)).toEqual([1])
    const entryId = (await tools.groups()).groups[1]?.example.entryId ?? ''
    expect((await tools.show(entryId))?.id).toBe('order-3')
  })

  test('shows a whole record, with the body read', async () => {
    await bury(failing(120))
    const { entries } = await tools.list({ limit: 110 })
    const shown = await tools.show(entries[104]!.entryId)
    expect(shown).toMatchObject({
      id: 'order-104',
      data: { n: 104, fails: 'broken' },
      attempts: 1,
      handler: 'charge',
      error: { name: 'TypeError', message: 'broken' },
    })
    expect(await tools.show('not-there')).toBeUndefined()
    expect(await tools.count()).toBe(120)
  })
})

describe('replaying', () => {
  test('gives back those that fit, each once, with a fresh budget', async () => {
    await bury([...failing(3, 'declined'), { n: 3, fails: 'broken' }])
    mended = true
    const report = await during(tools.replay({ errors: 'card_declined' }))
    expect(report).toEqual({ matched: 3, replayed: 3, discarded: 0, kept: 1, failed: 0 })
    expect(handled.map(({ id, replays }) => [id, replays])).toEqual([
      ['order-0', 1],
      ['order-1', 1],
      ['order-2', 1],
    ])
    expect(await tools.count()).toBe(1)
  })

  test('changes nothing in a dry run, and tells what it would do', async () => {
    await bury(failing(5))
    const told: string[] = []
    const options = { dryRun: true, limit: 2, onEntry: ({ id }: { id: string }) => void told.push(id) }
    expect(await tools.replay('all', options)).toMatchObject({ matched: 2, replayed: 0 })
    expect(await tools.discard('all', options)).toMatchObject({ matched: 2, discarded: 0 })
    expect(told).toEqual(['order-0', 'order-1', 'order-0', 'order-1'])
    expect([await tools.count(), handled]).toEqual([5, []])
  })

  test('does not meet again what fails again', async () => {
    await bury(failing(250))
    const report = await during(tools.replay('all'))
    expect(report).toMatchObject({ matched: 250, replayed: 250 })
    expect(await tools.count()).toBe(250)
    expect(await tools.count({ maxReplays: 0 })).toBe(0)
    expect(await during(tools.replay({ maxReplays: 0 }))).toMatchObject({ replayed: 0 })
  })

  test('not even when it is slow, and they fail meanwhile', async () => {
    await bury(failing(10))
    expect(await during(tools.replay('all', { perSecond: 1 }))).toMatchObject({ matched: 10, replayed: 10 })
    expect(await tools.count()).toBe(10)
  })

  test('keeps to a rate, evenly', async () => {
    await bury(failing(20))
    mended = true
    const begun = clock.now()
    const report = tools.replay('all', { perSecond: 2 })
    await during(report)
    expect(handled.map(({ at }) => at - begun)).toEqual(Array.from({ length: 20 }, (_, n) => n * 500))
  })

  test('never goes faster than its rate, however high that is', async () => {
    await bury(failing(300))
    mended = true
    const begun = clock.now()
    await during(tools.replay('all', { perSecond: 100 }))
    for (const [index, { at }] of handled.entries())
      expect(at - begun).toBeGreaterThanOrEqual(index * 10 - 100)
    expect(handled.length).toBe(300)
  })

  test('ends in the middle when it is aborted, and keeps the rest', async () => {
    await bury(failing(20))
    mended = true
    const controller = new AbortController()
    const report = tools.replay('all', { perSecond: 1, signal: controller.signal })
    await clock.advance(4_500)
    controller.abort()
    expect(await report).toMatchObject({ replayed: 5, failed: 0 })
    expect([handled.length, await tools.count(), clock.pending < 5]).toEqual([5, 15, true])
  })

  test('replays edited copies, whose ids repeat with the edit', async () => {
    await bury([{ n: 7, fails: 'broken' }])
    const edit = ({ data }: { data: unknown }): { data: Order } => ({ data: { n: (data as Order).n + 1 } })
    expect(await during(tools.replay('all', { edit }))).toMatchObject({ replayed: 1 })
    expect(handled).toMatchObject([{ n: 8, replays: 1 }])
    const first = handled[0]!.id
    expect(first).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8/)

    // As after a crash that left both the dead letter and its copy.
    await bury([{ n: 7, fails: 'broken' }])
    await during(tools.replay('all', { edit }))
    expect(handled[1]!.id).toBe(first)
  })

  test('replays as it is what an edit leaves alone, and ends with what it throws', async () => {
    await bury(failing(3))
    mended = true
    const edit = ({ id }: { id: string }): undefined => {
      if (id === 'order-2') throw new Error('cannot edit')
      return undefined
    }
    await expect(during(tools.replay('all', { edit }))).rejects.toThrow('cannot edit')
    expect(ids(handled)).toEqual(['order-0', 'order-1'])
    expect(ids((await tools.list()).entries)).toEqual(['order-2'])
  })

  test('reaches its own group only, edited or not', async () => {
    const seen = { billing: [] as string[], shipping: [] as string[] }
    await transport.subscribe<Order>(
      'shop',
      ({ id, data }, context) => {
        seen.billing.push(id)
        return data.fails === undefined || mended ? undefined : context.deadLetter({ reason: 'mine' })
      },
      { group: 'billing' },
    )
    await transport.subscribe('shop', ({ id }) => void seen.shipping.push(id), { group: 'shipping' })
    await transport.publishMany('shop', [
      { id: 'a', data: { n: 1, fails: 'x' } },
      { id: 'b', data: { n: 2, fails: 'x' } },
    ])
    await clock.advance(1_000)
    const billing = createDeadLetterTools(transport, { topic: 'shop', group: 'billing' })
    expect(billing.source).toBe('shop/billing')
    mended = true
    await during(billing.replay({ ids: ['a'] }))
    await during(billing.replay('all', { edit: () => ({ id: 'b2', data: { n: 2 } }) }))
    expect(seen).toEqual({ billing: ['a', 'b', 'a', 'b2'], shipping: ['a', 'b'] })
  })

  test('does not replay what has expired, and says so', async () => {
    await transport.send('orders', { id: 'old', data: { n: 1, fails: 'x' }, expiresAt: clock.now() + 5_000 })
    await clock.advance(10_000)
    expect(await during(tools.replay('all'))).toMatchObject({ matched: 1, replayed: 0, failed: 1 })
    expect(await tools.count()).toBe(1)
  })
})

describe('discarding', () => {
  test('removes those that fit, at most so many', async () => {
    await bury(failing(5))
    expect(await tools.discard({ types: 'order.#' }, { limit: 2 })).toMatchObject({
      matched: 2,
      discarded: 2,
    })
    expect(ids((await tools.list()).entries)).toEqual(['order-2', 'order-3', 'order-4'])
    expect(await tools.discard('all')).toMatchObject({ discarded: 3 })
    expect(await tools.count()).toBe(0)
  })
})

describe('trouble', () => {
  test('a second operator is refused meanwhile, and nothing is replayed twice', async () => {
    await bury(failing(20))
    mended = true
    const other = createDeadLetterTools(await broker.connect(), 'orders')
    const first = tools.replay('all', { perSecond: 1 })
    await clock.advance(2_500)
    const refused = await Promise.allSettled([
      other.replay('all'),
      other.discard('all'),
      other.list(),
      other.groups(),
    ])
    for (const one of refused) {
      const { reason } = one as PromiseRejectedResult
      expect(isPosthornError(reason) && reason.code).toBe('POSTHORN_DEAD_LETTERS_BUSY')
    }
    expect(await during(first)).toMatchObject({ replayed: 20 })
    expect(await during(other.replay('all'))).toMatchObject({ matched: 0, replayed: 0 })
    expect(ids(handled).toSorted()).toEqual(
      failing(20)
        .map(({ n }) => `order-${n}`)
        .toSorted(),
    )
  })

  test('a crash in the middle loses nothing, and the next operator goes on', async () => {
    await bury(failing(20))
    mended = true
    const worker = await broker.connect({ name: 'worker' })
    const operator = await broker.connect({ name: 'operator' })
    await consume(worker)
    const crashed = createDeadLetterTools(operator, 'orders').replay('all', { perSecond: 1 })
    void crashed.catch(() => {})
    await clock.advance(6_500)
    broker.faults.crash('operator')
    await clock.advance(60_000)
    expect([handled.length, await tools.count()]).toEqual([7, 13])
    expect(await during(tools.replay('all'))).toMatchObject({ replayed: 13 })
    expect(ids(handled).toSorted()).toEqual(
      failing(20)
        .map(({ n }) => `order-${n}`)
        .toSorted(),
    )
    expect(await tools.count()).toBe(0)
  })

  test('a lost connection ends the walk with an error, and loses nothing', async () => {
    await bury(failing(20))
    mended = true
    const replay = tools.replay('all', { perSecond: 1 })
    void replay.catch(() => {})
    await clock.advance(6_500)
    broker.faults.cut('first')
    await clock.advance(120_000)
    await expect(replay).rejects.toMatchObject({ code: expect.stringContaining('POSTHORN_') as string })
    expect(handled.length + (await tools.count())).toBe(20)
    await during(tools.replay('all'))
    expect(new Set(ids(handled)).size).toBe(20)
  })
})

describe('what cannot work is refused', () => {
  test.each<[string, () => Promise<unknown>, string]>([
    ['a filter that names nothing', () => tools.replay({}), "Say 'all'"],
    ['the same when discarding', () => tools.discard({ types: undefined } as never), "Say 'all'"],
    ['an unknown field', () => tools.discard({ error: 'x' } as never), 'Did you mean "errors"?'],
    ['a rate of nothing', () => tools.replay('all', { perSecond: 0 }), 'perSecond'],
    ['an unknown option', () => tools.replay('all', { dryrun: true } as never), 'Did you mean "dryRun"?'],
    ['an edit while discarding', () => tools.discard('all', { edit: () => ({}) } as never), '"edit"'],
    ['a page of nothing', () => tools.list({ limit: 0 }), 'limit'],
    ['a moment that is none', () => tools.count({ after: 'yesterday' } as never), 'after'],
  ])('%s', async (_, call, named) => {
    await expect(call()).rejects.toThrow(named)
  })

  test('a transport that is none', () => {
    expect(() => createDeadLetterTools({} as Transport, 'orders')).toThrow('takes a transport')
  })
})
