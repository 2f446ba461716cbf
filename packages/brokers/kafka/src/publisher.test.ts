import { createVirtualClock } from '@posthorn/transport/testing'
import { isPosthornError } from '@posthorn/transport'
import { beforeEach, describe, expect, test } from 'vitest'
import { ScriptedNodes, type Script, type Written } from '../test/scripted-nodes.ts'
import { Cluster } from './cluster.ts'
import { Connections } from './client/connections.ts'
import { unroutable } from './errors.ts'
import { kafkaErrors } from './protocol/error-names.ts'
import { Publisher } from './publisher.ts'
import type { PublishOutcome } from '@posthorn/transport/driver'
import type { VirtualClock } from '@posthorn/transport/testing'

const topic = 'orders'

let clock: VirtualClock
let nodes: ScriptedNodes
let cluster: Cluster
let publisher: Publisher

beforeEach(async () => {
  clock = createVirtualClock()
  nodes = new ScriptedNodes()
  nodes.topics.set(topic, [1, 2, 1, 2])
  cluster = new Cluster(new Connections(nodes, clock), clock)
  publisher = new Publisher(cluster, 'none')
  await clock.runUntil(() => false, { maxMs: 0 }).catch(() => undefined)
  await cluster.refresh([topic])
})

/** What became of each message: `confirmed`, or the outcome of the error and its code. */
type Shown = string

function show(outcome: PublishOutcome): Shown {
  return outcome === 'confirmed' ? outcome : `${outcome.outcome} ${outcome.code}`
}

interface Sending {
  readonly outcomes: Promise<readonly PublishOutcome[]>
  isDone: boolean
}

function send(partition: number | undefined, values: readonly string[], timeoutMs = 30_000): Sending {
  const records = values.map((value) => ({
    timestamp: clock.now(),
    key: undefined,
    value: Buffer.from(value),
    headers: {},
  }))
  const parcel = { topic, partition, records, indexes: values.map((_, index) => index) }
  const sending: Sending = {
    outcomes: publisher.publish([parcel], values.length, clock.now() + timeoutMs, () => unroutable(topic)),
    isDone: false,
  }
  void sending.outcomes.then(() => (sending.isDone = true))
  return sending
}

async function ends(...sendings: readonly Sending[]): Promise<readonly Shown[]> {
  await clock.runUntil(() => sendings.every(({ isDone }) => isDone), { maxMs: 60_000 })
  return (await Promise.all(sendings.map(({ outcomes }) => outcomes))).flat().map(show)
}

/** Each batch once as said, and from then on appended. */
function once(...scripts: readonly Script[]): (written: Written) => Script {
  const left = [...scripts]
  return () => left.shift() ?? 'append'
}

/** A promise that a test resolves. */
function gate(): { readonly open: () => void; readonly passed: Promise<void> } {
  let open = (): void => undefined
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, passed }
}

describe('errors of the broker', () => {
  const passing = [
    'NOT_LEADER_OR_FOLLOWER',
    'LEADER_NOT_AVAILABLE',
    'NOT_ENOUGH_REPLICAS',
    'UNKNOWN_TOPIC_OR_PARTITION',
  ] as const

  test.each(passing)('%s says that nothing was appended: it is written again', async (name) => {
    nodes.script = once({ error: kafkaErrors[name] })
    expect(await ends(send(0, ['a']))).toEqual(['confirmed'])
    expect(nodes.valuesOf(topic, 0)).toEqual(['a'])
    expect(nodes.requests).toBe(2)
  })

  test('what is refused until its time is over is rejected, with the reason', async () => {
    nodes.script = () => ({ error: kafkaErrors.NOT_ENOUGH_REPLICAS })
    const sending = send(0, ['a'], 2_000)
    expect(await ends(sending)).toEqual(['rejected POSTHORN_CONNECTION_LOST'])
    const [outcome] = await sending.outcomes
    expect(isPosthornError(outcome) && outcome.message).toContain('NOT_ENOUGH_REPLICAS')
  })

  const unclear = [
    'REQUEST_TIMED_OUT',
    'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
    'UNKNOWN_SERVER_ERROR',
    'KAFKA_STORAGE_ERROR',
  ] as const

  test.each(unclear)('%s leaves open what became of it: unknown, and never written again', async (name) => {
    nodes.script = once({ error: kafkaErrors[name] })
    expect(await ends(send(0, ['a']))).toEqual(['unknown POSTHORN_CONNECTION_LOST'])
    expect(nodes.requests).toBe(1)
  })

  test('a leader that has appended, and leads no more when the replicas have it, is unclear too', async () => {
    nodes.script = once({ error: kafkaErrors.NOT_LEADER_OR_FOLLOWER, offset: 7 })
    expect(await ends(send(0, ['a']))).toEqual(['unknown POSTHORN_CONNECTION_LOST'])
    expect(nodes.valuesOf(topic, 0)).toEqual(['a'])
  })

  test('a refusal of the whole topic is told once for all, and not tried record by record', async () => {
    nodes.script = () => ({ error: kafkaErrors.TOPIC_AUTHORIZATION_FAILED })
    expect(await ends(send(0, ['a', 'b']))).toEqual([
      'rejected POSTHORN_ACCESS_DENIED',
      'rejected POSTHORN_ACCESS_DENIED',
    ])
    expect(nodes.requests).toBe(1)
  })
})

describe('records that are refused', () => {
  test('the broker names the bad ones: the others are written, in their order', async () => {
    nodes.script = ({ values }) => {
      const recordErrors = values.flatMap((value, index) =>
        value.startsWith('bad') ? [{ index, message: `no ${value}` }] : [],
      )
      return recordErrors.length === 0 ? 'append' : { error: kafkaErrors.INVALID_RECORD, recordErrors }
    }
    const first = send(0, ['a', 'bad 1', 'b'])
    const second = send(0, ['bad 2', 'c'])
    const rejected = 'rejected POSTHORN_BROKER_ERROR'
    expect(await ends(first, second)).toEqual(['confirmed', rejected, 'confirmed', rejected, 'confirmed'])
    expect(nodes.valuesOf(topic, 0)).toEqual(['a', 'b', 'c'])
    expect(nodes.requests).toBe(2)
    const [, outcome] = await first.outcomes
    expect(isPosthornError(outcome) && outcome.message).toContain('no bad 1')
  })

  test('where the broker names none of them, the bad one is found', async () => {
    nodes.script = ({ values }) =>
      values.includes('bad')
        ? { error: kafkaErrors.INVALID_RECORD, recordErrors: [{ index: 9, message: undefined }] }
        : 'append'
    const rejected = 'rejected POSTHORN_BROKER_ERROR'
    expect(await ends(send(0, ['a', 'bad', 'b']))).toEqual(['confirmed', rejected, 'confirmed'])
    expect(nodes.requests).toBeLessThan(6)
  })

  test('a record that is too large is found in its batch, and refused alone', async () => {
    nodes.script = ({ values }) =>
      values.some((value) => value.length > 5_000) ? { error: kafkaErrors.MESSAGE_TOO_LARGE } : 'append'
    const values = Array.from({ length: 64 }, (_, index) => `${index}`.padEnd(index === 40 ? 6_000 : 10, '.'))
    const shown = await ends(send(0, values))
    const tooLarge = 'rejected POSTHORN_BODY_TOO_LARGE'
    expect(shown).toEqual(values.map((_, index) => (index === 40 ? tooLarge : 'confirmed')))
    expect(nodes.valuesOf(topic, 0)).toEqual(values.toSpliced(40, 1))
    expect(nodes.requests).toBeLessThan(25)
  })

  test('batches become as small as the topic takes them, and nothing is refused for it', async () => {
    const sizeOf = ({ values }: Written): number => values.reduce((sum, value) => sum + value.length, 0)
    nodes.script = (written) =>
      sizeOf(written) > 20_000 ? { error: kafkaErrors.MESSAGE_TOO_LARGE } : 'append'
    const values = Array.from({ length: 200 }, (_, index) => `${index}`.padEnd(1_000, '.'))
    expect(new Set(await ends(send(0, values)))).toEqual(new Set(['confirmed']))
    expect(nodes.valuesOf(topic, 0)).toEqual(values)
    expect(nodes.requests).toBeLessThan(30)
  })
})

describe('connections', () => {
  test('one that ends before the answer leaves it unknown, and what comes later goes over another one', async () => {
    nodes.script = once('cut after')
    const first = send(0, ['a'])
    expect(await ends(first)).toEqual(['unknown POSTHORN_CONNECTION_LOST'])
    expect(await ends(send(0, ['b']))).toEqual(['confirmed'])
    expect(nodes.valuesOf(topic, 0)).toEqual(['a', 'b'])
  })

  test('a node that cannot be reached has surely not got it: it is written when it is back', async () => {
    nodes.away.add(1)
    const sending = send(0, ['a'])
    await clock.advance(3_000)
    expect(sending.isDone).toBe(false)
    nodes.away.delete(1)
    expect(await ends(sending)).toEqual(['confirmed'])
    expect(nodes.requests).toBe(1)
  })

  test('what a node never answers is unknown when its time is over, and what waits behind it rejected', async () => {
    nodes.script = () => 'silent'
    const first = send(0, ['a'], 5_000)
    await clock.advance(10)
    const second = send(0, ['b'], 2_000)
    const [written, waiting] = await ends(first, second)
    expect(written).toMatch(/^unknown /)
    expect(waiting).toBe('rejected POSTHORN_TIMEOUT')
    expect(nodes.seen.map(({ values }) => values)).toEqual([['a']])
  })

  test('what waits for a connection when its time is over was never written: rejected, and never written later', async () => {
    nodes.mute.add(1)
    const sending = send(0, ['a'], 2_000)
    expect(await ends(sending)).toEqual(['rejected POSTHORN_TIMEOUT'])
    nodes.mute.delete(1)
    expect(await ends(send(0, ['b']))).toEqual(['confirmed'])
    expect(nodes.seen.map(({ values }) => values)).toEqual([['b']])
  })

  test('a node that lets nobody in, and leads no more, is left', async () => {
    nodes.mute.add(1)
    const sending = send(0, ['a'], 5_000)
    await clock.advance(500)
    nodes.topics.set(topic, [2, 2, 2, 2])
    expect(await ends(sending)).toEqual(['confirmed'])
  })

  test('the longest time to wait is more than a request can say, and is waited for', async () => {
    expect(await ends(send(0, ['a'], Number.MAX_SAFE_INTEGER))).toEqual(['confirmed'])
  })

  test('a frozen leader holds up nobody else', async () => {
    nodes.script = ({ node }) => (node === 1 ? 'silent' : 'append')
    const frozen = send(0, ['a'])
    await clock.advance(10)
    expect(await ends(send(1, ['b']), send(3, ['c']))).toEqual(['confirmed', 'confirmed'])
    expect(frozen.isDone).toBe(false)
  })

  test('a frozen leader that leads no more is given up: what it has is unknown, and the rest goes on elsewhere', async () => {
    nodes.script = ({ node }) => (node === 1 ? 'silent' : 'append')
    const first = send(0, ['a'])
    await clock.advance(10)
    const second = send(0, ['b'])
    await clock.advance(1_500)
    expect([first.isDone, second.isDone]).toEqual([false, false])
    nodes.topics.set(topic, [2, 2, 2, 2])
    await clock.advance(1_500)
    expect(await ends(first, second)).toEqual(['unknown POSTHORN_CONNECTION_LOST', 'confirmed'])
    expect(nodes.valuesOf(topic, 0)).toEqual(['b'])
  })

  test('what is closed answers all that is open, and takes nothing more', async () => {
    nodes.script = () => 'silent'
    const written = send(0, ['a'])
    await clock.advance(10)
    const waiting = send(0, ['b'])
    publisher.close('the end')
    expect(await ends(written, waiting, send(1, ['c']))).toEqual([
      'unknown POSTHORN_CONNECTION_LOST',
      'rejected POSTHORN_CONNECTION_LOST',
      'rejected POSTHORN_CONNECTION_LOST',
    ])
    expect(clock.pending).toBeLessThan(5)
  })
})

describe('order', () => {
  test('what is written again comes before what was sent later', async () => {
    const { open, passed } = gate()
    const script = once({ error: kafkaErrors.NOT_LEADER_OR_FOLLOWER })
    nodes.script = async (written) => {
      const fate = script(written)
      await passed
      return fate
    }
    const first = send(0, ['a', 'b'])
    await clock.advance(10)
    const second = send(0, ['c'])
    open()
    expect(await ends(first, second)).toEqual(['confirmed', 'confirmed', 'confirmed'])
    expect(nodes.valuesOf(topic, 0)).toEqual(['a', 'b', 'c'])
  })

  test('a leader that moves while a request is under way gets nothing before that is answered', async () => {
    const { open, passed } = gate()
    nodes.script = ({ node }) => (node === 1 ? passed.then(() => 'append' as const) : 'append')
    const first = send(0, ['a'])
    await clock.advance(10)
    nodes.topics.set(topic, [2, 2, 2, 2])
    await cluster.refresh([topic])
    const second = send(0, ['b'])
    await clock.advance(500)
    expect(nodes.seen.map(({ values }) => values)).toEqual([['a']])
    open()
    expect(await ends(first, second)).toEqual(['confirmed', 'confirmed'])
    expect(nodes.valuesOf(topic, 0)).toEqual(['a', 'b'])
    expect(new Set(nodes.log.map(({ node }) => node))).toEqual(new Set([2]))
  })

  test('leaders that move all the time make nothing come twice, get lost or change its order', async () => {
    let moves = 0
    nodes.script = ({ partition }) => {
      moves += 1
      if (moves % 3 === 0) {
        const leaders = nodes.topics.get(topic)!
        nodes.topics.set(
          topic,
          leaders.map((leader, at) => (at === partition ? 3 - leader : leader)),
        )
      }
      return 'append'
    }
    const sendings: Sending[] = []
    const expected = [0, 1, 2, 3].map((partition) =>
      Array.from({ length: 30 }, (_, n) => `${partition}:${n}`),
    )
    for (let n = 0; n < 30; n++) {
      for (let partition = 0; partition < 4; partition++)
        sendings.push(send(partition, [`${partition}:${n}`]))
      if (n % 4 === 0) await clock.advance(7)
    }
    expect(new Set(await ends(...sendings))).toEqual(new Set(['confirmed']))
    expect([0, 1, 2, 3].map((partition) => nodes.valuesOf(topic, partition))).toEqual(expected)
  })
})

describe('what may go anywhere', () => {
  const partitionsOf = (): number[] => nodes.log.map(({ partition }) => partition)

  test('stays with one partition until its batch is sent, then goes to the next', async () => {
    const { open, passed } = gate()
    nodes.script = () => passed.then(() => 'append' as const)
    const first = send(undefined, ['a'])
    await clock.advance(10)
    const rest = ['b', 'c', 'd'].map((value) => send(undefined, [value]))
    open()
    await ends(first, ...rest)
    const [one] = partitionsOf()
    expect(nodes.log.map(({ values }) => values)).toEqual([['a'], ['b', 'c', 'd']])
    expect(partitionsOf()).toEqual([one, (one! + 1) % 4])
  })

  test('takes turns when each is sent by itself', async () => {
    for (let n = 0; n < 8; n++) await ends(send(undefined, [`${n}`]))
    expect([0, 1, 2, 3].map((partition) => nodes.valuesOf(topic, partition).length)).toEqual([2, 2, 2, 2])
  })

  test('goes to all partitions where it is many at once, so that no consumer gets everything', async () => {
    await ends(
      send(
        undefined,
        Array.from({ length: 40 }, (_, n) => `${n}`),
      ),
    )
    expect([0, 1, 2, 3].map((partition) => nodes.valuesOf(topic, partition).length)).toEqual([10, 10, 10, 10])
  })

  test('goes to partitions that somebody leads', async () => {
    nodes.topics.set(topic, [-1, -1, 1, -1])
    await cluster.refresh([topic])
    for (const value of ['a', 'b', 'c']) expect(await ends(send(undefined, [value]))).toEqual(['confirmed'])
    expect(partitionsOf()).toEqual([2, 2, 2])
  })

  test('leaves a leader that is frozen, as long as it has not been written', async () => {
    nodes.script = ({ node }) => (node === 1 ? 'silent' : 'append')
    const frozen = [send(0, ['x']), send(2, ['y'])]
    await clock.advance(10)
    const free = Array.from({ length: 8 }, (_, n) => send(undefined, [`${n}`]))
    expect(await ends(...free)).toEqual(free.map(() => 'confirmed'))
    expect(frozen.map(({ isDone }) => isDone)).toEqual([false, false])
    expect(new Set(nodes.log.map(({ node }) => node))).toEqual(new Set([2]))
  })

  test('leaves a node that lets nobody in', async () => {
    nodes.mute.add(1)
    const free = Array.from({ length: 4 }, (_, n) => send(undefined, [`${n}`, `${n}'`, `${n}"`], 5_000))
    expect(new Set(await ends(...free))).toEqual(new Set(['confirmed']))
    expect(new Set(nodes.log.map(({ node }) => node))).toEqual(new Set([2]))
  })

  test('leaves a node that cannot be reached', async () => {
    nodes.away.add(1)
    const free = Array.from({ length: 4 }, (_, n) => send(undefined, [`${n}`, `${n}'`, `${n}"`, `${n}*`]))
    const sent = await ends(...free)
    expect(new Set(sent)).toEqual(new Set(['confirmed']))
    expect(new Set(nodes.log.map(({ node }) => node))).toEqual(new Set([2]))
  })
})

describe('topics that change', () => {
  test('one that is deleted is told as missing', async () => {
    nodes.topics.delete(topic)
    expect(await ends(send(0, ['a']), send(undefined, ['b']))).toEqual([
      'rejected POSTHORN_UNROUTABLE',
      'rejected POSTHORN_UNROUTABLE',
    ])
  })

  test('one that a node does not know for a moment is not missing', async () => {
    let times = 0
    nodes.script = () => {
      times += 1
      if (times > 1) return 'append'
      const leaders = nodes.topics.get(topic)!
      nodes.topics.delete(topic)
      clock.setTimer(() => nodes.topics.set(topic, leaders), 150)
      return { error: kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION }
    }
    expect(await ends(send(0, ['a']))).toEqual(['confirmed'])
  })

  test('partitions that are added are used after a while', async () => {
    await ends(send(undefined, ['a']))
    nodes.topics.set(topic, [1, 2, 1, 2, 1, 2])
    await clock.advance(61_000)
    await ends(send(undefined, ['b']))
    expect(cluster.partitionCount(topic)).toBe(6)
  })

  test('nothing is kept of destinations of the past', async () => {
    for (let n = 0; n < 50; n++) {
      nodes.topics.set(`inbox-${n}`, [1])
      await cluster.refresh([`inbox-${n}`])
      const record = { timestamp: 0, key: undefined, value: Buffer.from('x'), headers: {} }
      const parcel = { topic: `inbox-${n}`, partition: 0, records: [record], indexes: [0] }
      const sent = publisher.publish([parcel], 1, clock.now() + 1_000, () => unroutable('inbox'))
      await clock.advance(1)
      expect(await sent).toEqual(['confirmed'])
    }
    expect(publisher.lineCount).toBe(0)
  })
})
