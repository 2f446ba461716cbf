import { beforeEach, describe, expect, test } from 'vitest'
import type { Destination, Source } from '../contract/driver.ts'
import type { DeclareMode, Topology } from '../contract/topology.ts'
import { PosthornError } from '../errors.ts'
import { createVirtualClock, type VirtualClock } from '../testing/virtual-clock.ts'
import { TopologyRegistry } from './topology-registry.ts'

const orders: Destination = { kind: 'queue', name: 'orders', shards: 1 }
const events: Destination = { kind: 'topic', name: 'events' }
const wants = { order: 'none', from: undefined } as const
const billing: Source = {
  kind: 'subscription',
  topic: 'events',
  group: 'billing',
  patterns: ['order.*'],
  deadLetterQueue: 'events/billing.dlq',
  shards: 1,
}
const mismatch = new PosthornError('POSTHORN_TOPOLOGY_MISMATCH', 'maxMessages is 5.', { phase: 'declare' })
const busy = new PosthornError('POSTHORN_BROKER_ERROR', 'No leader.', { phase: 'declare', retryable: true })
const late = new PosthornError('POSTHORN_TIMEOUT', 'No answer.', { phase: 'declare', retryable: true })

let clock: VirtualClock
let declared: { readonly topology: Topology; readonly mode: DeclareMode }[]
/** What the next declarations do, one after the other; then all succeed. */
let script: (() => Promise<void>)[]

beforeEach(() => {
  clock = createVirtualClock()
  declared = []
  script = []
})

function answer(topology: Topology, mode: DeclareMode): Promise<void> {
  declared.push({ topology, mode })
  return script.shift()?.() ?? Promise.resolve()
}

function create(mode: DeclareMode = 'create'): TopologyRegistry {
  return new TopologyRegistry(mode, clock, answer)
}

/** A new connection; `isOver` says when it has ended. */
function reconnect(registry: TopologyRegistry, isOver: () => boolean = () => false): Promise<void> {
  return registry.restore({ declare: (topology) => answer(topology, 'create'), isOver })
}

describe('using a destination', () => {
  test('declares it once, in the mode of the transport', async () => {
    for (const mode of ['create', 'check'] as const) {
      declared = []
      const registry = create(mode)
      await registry.ensure(orders)
      await registry.ensure(events)
      expect(registry.ensure(orders)).toBeUndefined()
      expect(registry.ensure(events)).toBeUndefined()
      expect(declared).toEqual([
        { topology: { queues: [{ name: 'orders' }] }, mode },
        { topology: { queues: [], topics: [{ name: 'events' }], subscriptions: [] }, mode },
      ])
    }
  })

  test('declares nothing in mode none, nor for an inbox', () => {
    expect(create('none').ensure(orders)).toBeUndefined()
    expect(create().ensure({ kind: 'inbox', name: 'inbox/1' })).toBeUndefined()
  })

  test('by several at a time declares it once for all of them', async () => {
    const registry = create()
    const first = registry.ensure(orders)
    expect(registry.ensure(orders)).toBe(first)
    await first
    expect(declared).toHaveLength(1)
  })

  test('again after its declaration failed declares it again', async () => {
    script.push(() => Promise.reject(busy))
    const registry = create()
    await expect(registry.ensure(orders)).rejects.toBe(busy)
    await registry.ensure(orders)
    expect(registry.ensure(orders)).toBeUndefined()
    expect(declared).toHaveLength(2)
  })

  test('on a new connection declares it there, and not before', async () => {
    const registry = create()
    await registry.ensure(orders)
    await reconnect(registry)
    expect(declared).toHaveLength(1)
    await registry.ensure(orders)
    expect(declared).toHaveLength(2)
  })

  test('keeps in mind ten thousand of them, and forgets the oldest beyond', async () => {
    const registry = create()
    await registry.declare({ queues: [{ name: 'mine', shards: 4 }] }, 'create')
    for (let index = 0; index <= 10_000; index++)
      await registry.ensure({ kind: 'queue', name: `q${index}`, shards: 1 })
    expect(registry.ensure({ kind: 'queue', name: 'q1', shards: 1 })).toBeUndefined()
    expect(registry.ensure({ kind: 'queue', name: 'q0', shards: 1 })).toBeDefined()
    expect(registry.shardsOf('mine')).toBe(4)
  })
})

describe('what the user declared', () => {
  const topology: Topology = {
    queues: [{ name: 'orders', shards: 3, deadLetterQueue: 'dead-orders', maxMessages: 100 }],
    topics: [{ name: 'events' }],
    subscriptions: [{ topic: 'events', group: 'billing', deadLetterQueue: 'dead-bills' }],
  }

  test('need not be declared at its use', async () => {
    const registry = create()
    await registry.declare(topology, 'create')
    expect(registry.ensure(orders)).toBeUndefined()
    expect(registry.ensure(events)).toBeUndefined()
  })

  test('is known as sources and destinations, in mode none, too', async () => {
    const registry = create()
    await registry.declare(topology, 'none')
    expect(registry.shardsOf('orders')).toBe(3)
    expect(registry.shardsOf('others')).toBe(1)
    expect(registry.queueSource('orders')).toMatchObject({ deadLetterQueue: 'dead-orders', shards: 3 })
    expect(registry.subscriptionSource('events', 'billing', ['#'])).toMatchObject({
      deadLetterQueue: 'dead-bills',
    })
    expect(declared).toEqual([])
  })

  test('is not known when declaring it failed', async () => {
    script.push(() => Promise.reject(mismatch))
    const registry = create()
    await expect(registry.declare(topology, 'create')).rejects.toBe(mismatch)
    expect(registry.shardsOf('orders')).toBe(1)
  })

  test('is declared on a new connection as it was, changes of the given object left out', async () => {
    const registry = create()
    const queue = { name: 'orders', maxMessages: 100 }
    await registry.declare({ ...topology, queues: [queue] }, 'create')
    queue.maxMessages = 1
    declared = []
    await reconnect(registry)
    expect(declared).toEqual([
      { topology: { ...topology, queues: [{ name: 'orders', maxMessages: 100 }] }, mode: 'create' },
    ])
    expect(registry.ensure(orders)).toBeUndefined()
  })

  test('only to check or to know it is never created', async () => {
    for (const mode of ['check', 'none'] as const) {
      declared = []
      const registry = create()
      await registry.declare(topology, mode)
      await reconnect(registry)
      await registry.ensure(orders)
      await registry.ensureSource(registry.queueSource('orders'), wants)
      expect(registry.forget(orders)).toBe(false)
      expect(await registry.recreate(registry.queueSource('orders'))).toBe(false)
      expect(new Set(declared.map((one) => one.mode))).toEqual(new Set(mode === 'check' ? ['check'] : []))
    }
  })

  test('to be created is restored by a transport that creates nothing by itself', async () => {
    for (const mode of ['check', 'none'] as const) {
      const registry = create(mode)
      await registry.declare(topology, 'create')
      declared = []
      await reconnect(registry)
      expect(declared).toHaveLength(1)
      expect(registry.forget(orders)).toBe(true)
      expect(registry.forget({ ...orders, name: 'others' })).toBe(false)
    }
  })

  test('keeps its mode and arguments when it is used', async () => {
    const registry = create()
    await registry.declare(topology, 'create')
    await registry.ensureSource(registry.queueSource('orders'), { ...wants, order: 'key' })
    declared = []
    await reconnect(registry)
    expect(declared[0]?.topology.queues).toEqual([{ ...topology.queues?.[0], order: 'key' }])
  })
})

describe('restoring', () => {
  const topology: Topology = { queues: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] }
  const queue = (name: string): Destination => ({ kind: 'queue', name, shards: 1 })

  async function restored(...answers: (() => Promise<void>)[]): Promise<TopologyRegistry> {
    const registry = create()
    await registry.declare(topology, 'create')
    declared = []
    script = answers
    await reconnect(registry)
    return registry
  }
  const fail =
    (error: unknown): (() => Promise<void>) =>
    () =>
      Promise.reject(error as Error)
  const succeed = (): Promise<void> => Promise.resolve()

  test('asks nothing where the user declared nothing', async () => {
    await reconnect(create())
    expect(declared).toEqual([])
  })

  test('of one that does not fit leaves the connection to the others; its user gets the error', async () => {
    const registry = await restored(fail(mismatch), succeed, fail(mismatch), succeed)
    expect(declared.map((one) => one.topology.queues?.map(({ name }) => name))).toEqual([
      ['a', 'b', 'c'],
      ['a'],
      ['b'],
      ['c'],
    ])
    expect(registry.ensure(queue('a'))).toBeUndefined()
    expect(registry.ensure(queue('c'))).toBeUndefined()
    script = [fail(mismatch)]
    await expect(registry.ensure(queue('b'))).rejects.toBe(mismatch)
    await clock.advance(600_000)
    expect(declared).toHaveLength(5)
  })

  test('of one that may pass is tried again from time to time, until it succeeds', async () => {
    const registry = await restored(fail(busy), succeed, fail(busy), succeed, fail(busy), fail(busy))
    await clock.advance(600_000)
    expect(declared.slice(4).map((one) => one.topology)).toEqual(
      Array.from({ length: 3 }, () => ({ queues: [{ name: 'b' }] })),
    )
    expect(registry.ensure(queue('b'))).toBeUndefined()
    expect(clock.pending).toBe(0)
  })

  test('does not go on where somebody else has declared it meanwhile', async () => {
    const registry = await restored(fail(busy), succeed, fail(busy), succeed)
    await registry.ensure(queue('b'))
    await clock.advance(600_000)
    expect(declared).toHaveLength(5)
  })

  test('without an answer does not ask for each as well before the connection is used', async () => {
    await restored(fail(late))
    expect(declared).toHaveLength(1)
    await clock.advance(600_000)
    expect(declared).toHaveLength(4)
  })

  test('ends with the connection', async () => {
    const registry = create()
    await registry.declare(topology, 'create')
    let isOver = false
    script = Array.from({ length: 100 }, () => fail(busy))
    await reconnect(registry, () => isOver)
    isOver = true
    await clock.advance(600_000)
    expect(clock.pending).toBe(0)
    expect(declared.length).toBeLessThan(10)
  })

  test('can be stopped', async () => {
    const registry = await restored(fail(busy), fail(busy), fail(busy), fail(busy))
    registry.stopRestoring()
    expect(clock.pending).toBe(0)
  })
})

describe('a source', () => {
  test('is declared at each set-up of its consumer', async () => {
    const registry = create()
    await registry.ensureSource(registry.queueSource('orders'), wants)
    await registry.ensureSource(registry.queueSource('orders'), wants)
    expect(declared).toEqual([
      { topology: { queues: [{ name: 'orders' }] }, mode: 'create' },
      { topology: { queues: [{ name: 'orders' }] }, mode: 'create' },
    ])
  })

  test('that is a group is declared after its topic, with what its consumer asks for', async () => {
    const from = new Date(0)
    await create().ensureSource(billing, { order: 'key', from })
    expect(declared.map((one) => one.topology)).toEqual([
      { topics: [{ name: 'events' }] },
      { subscriptions: [{ topic: 'events', group: 'billing', patterns: ['order.*'], order: 'key', from }] },
    ])
  })

  test('that is ephemeral needs its topic, and an inbox nothing', async () => {
    const registry = create()
    await registry.ensureSource({ kind: 'ephemeral', topic: 'events', patterns: ['#'] }, wants)
    await registry.ensureSource({ kind: 'inbox', name: 'inbox/1' }, wants)
    expect(declared.map((one) => one.topology)).toEqual([{ topics: [{ name: 'events' }] }])
  })

  test('is not declared in mode none', async () => {
    const registry = create('none')
    await registry.ensureSource(registry.queueSource('orders'), wants)
    await registry.ensureSource(billing, wants)
    expect(declared).toEqual([])
  })

  test('asked for with key order while a send declares it without is declared with it after that', async () => {
    const registry = create()
    let declaredOnce = (): void => {}
    script.push(() => new Promise((resolve) => (declaredOnce = resolve)))
    const sending = registry.ensure(orders)
    const consuming = registry.ensureSource(registry.queueSource('orders'), { ...wants, order: 'key' })
    await clock.advance(0)
    expect(declared).toHaveLength(1)
    declaredOnce()
    await Promise.all([sending, consuming])
    expect(declared.map((one) => one.topology.queues?.[0])).toEqual([
      { name: 'orders' },
      { name: 'orders', order: 'key' },
    ])
  })

  test('is declared though another declaration of it fails', async () => {
    script.push(() => Promise.reject(busy))
    const registry = create()
    const sending = registry.ensure(orders)
    const consuming = registry.ensureSource(registry.queueSource('orders'), wants)
    await expect(sending).rejects.toBe(busy)
    await consuming
    expect(declared).toHaveLength(2)
  })
})

describe('what turned out to be gone', () => {
  test('is declared again with the arguments that it had, also after that failed once', async () => {
    const registry = create()
    await registry.declare({ queues: [{ name: 'orders', maxMessages: 7 }] }, 'create')
    expect(registry.forget(orders)).toBe(true)
    expect(registry.forget(orders)).toBe(true)
    script.push(() => Promise.reject(busy))
    await expect(registry.ensure(orders)).rejects.toBe(busy)
    await registry.ensure(orders)
    expect(declared.at(-1)?.topology).toEqual({ queues: [{ name: 'orders', maxMessages: 7 }] })
    expect(registry.ensure(orders)).toBeUndefined()
  })

  test('and is a topic comes back with its groups, or they would miss what is published', async () => {
    const registry = create()
    await registry.ensure(events)
    await registry.ensureSource(billing, wants)
    await registry.ensureSource({ ...billing, topic: 'others' }, wants)
    declared = []
    registry.forget(events)
    await registry.ensure(events)
    expect(declared.map((one) => one.topology)).toEqual([
      {
        queues: [],
        topics: [{ name: 'events' }],
        subscriptions: [{ topic: 'events', group: 'billing', patterns: ['order.*'] }],
      },
    ])
  })

  test('is not made by a transport that may create nothing', () => {
    expect(create('check').forget(orders)).toBe(false)
    expect(create('none').forget(events)).toBe(false)
    expect(create().forget({ kind: 'inbox', name: 'inbox/1' })).toBe(false)
  })

  test('and is asked about is made, if it is known how', async () => {
    const registry = create()
    const group = registry.subscriptionSource('events', 'billing', [])
    expect(await registry.recreate(group)).toBe(false)
    await registry.ensureSource(billing, wants)
    declared = []
    expect(await registry.recreate(group)).toBe(true)
    expect(await registry.recreate(registry.queueSource('orders'))).toBe(true)
    expect(declared.map((one) => one.topology)).toEqual([
      { subscriptions: [{ topic: 'events', group: 'billing', patterns: ['order.*'] }] },
      { queues: [{ name: 'orders' }] },
    ])
    expect(await create('check').recreate(registry.queueSource('orders'))).toBe(false)
  })
})
