import { kafka } from '@posthorn/kafka'
import { systemClock } from '@posthorn/transport/driver'
import { CompressionTypes } from 'kafkajs'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { Cluster } from '../src/cluster.ts'
import { commitOffsets, deleteRecords, nobody } from '../src/protocol/offsets.ts'
import { Connections } from '../src/client/connections.ts'
import { kafkajsClient } from '../src/client/kafkajs-client.ts'
import { openReadings } from '../src/open-readings.ts'
import { Position } from '../src/position.ts'
import { withKafka } from './with-kafka.ts'
import type { KafkaOptions } from '@posthorn/kafka'
import type { Transport, TransportEvents } from '@posthorn/transport'
import type { Admin } from 'kafkajs'

const patience = { timeout: 30_000, interval: 20 }

describe('a log that changes under its readers', { timeout: 60_000 }, () => {
  const bench = withKafka()
  const opened: Transport[] = []

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((transport) => transport.close()))
  })

  async function open(
    options: Partial<KafkaOptions> = {},
  ): Promise<{ readonly transport: Transport; readonly gaps: TransportEvents['gap'][] }> {
    const transport = await kafka({ url: bench.url, partitions: 1, sessionTimeoutMs: 3_000, ...options })
    opened.push(transport)
    const gaps: TransportEvents['gap'][] = []
    transport.on('gap', (gap) => void gaps.push(gap))
    return { transport, gaps }
  }

  async function admin<Value>(act: (admin: Admin) => Promise<Value>): Promise<Value> {
    const client = bench.raw.admin()
    await client.connect()
    try {
      return await act(client)
    } finally {
      await client.disconnect()
    }
  }

  async function withCluster<Value>(act: (cluster: Cluster) => Promise<Value>): Promise<Value> {
    const connections = new Connections(kafkajsClient(bench.raw), systemClock)
    try {
      return await act(new Cluster(connections, systemClock))
    } finally {
      connections.close()
    }
  }

  /** Deletes what is below an offset. */
  async function cut(topic: string, offset: number): Promise<void> {
    await withCluster((cluster) =>
      cluster.askLeaders([{ topic, partition: 0, offset }], (all) => deleteRecords(all, 5_000)),
    )
  }

  /** Of others, with a value for each partition that is named. */
  async function write(topic: string, values: readonly (readonly [number, number])[]): Promise<void> {
    const producer = bench.raw.producer({ allowAutoTopicCreation: false })
    await producer.connect()
    await producer.send({
      topic,
      messages: values.map(([partition, value]) => ({ partition, value: JSON.stringify(value) })),
    })
    await producer.disconnect()
  }

  const numbers = (from: number, to: number): number[] =>
    Array.from({ length: to - from }, (_, index) => from + index)

  const sorted = (values: readonly number[]): number[] => [...values].sort((left, right) => left - right)

  test('records that are gone before they are read are told of, with their number, and it goes on behind them', async () => {
    const { transport, gaps } = await open()
    await transport.declare({ subscriptions: [{ topic: 'cut', group: 'all' }] })
    await write(
      'cut',
      numbers(0, 10).map((value) => [0, value]),
    )
    await cut('cut', 6)
    const seen: number[] = []
    await transport.subscribe<number>('cut', ({ data }) => void seen.push(data), { group: 'all' })
    await vi.waitUntil(() => seen.length === 4, patience)
    expect(seen).toEqual([6, 7, 8, 9])
    expect(gaps).toEqual([{ source: 'cut/all', scope: 'cut/0', missing: 6 }])
  })

  test('where it was asked for, a consumer ends for good at a gap, and nothing behind it is handled', async () => {
    const { transport, gaps } = await open({ onGap: 'end', sessionTimeoutMs: 300_000 })
    await transport.declare({ subscriptions: [{ topic: 'stop', group: 'all' }] })
    await write('stop', [
      [0, 0],
      [0, 1],
    ])
    await cut('stop', 1)
    const seen: number[] = []
    const consumer = await transport.subscribe<number>('stop', ({ data }) => void seen.push(data), {
      group: 'all',
    })
    await vi.waitUntil(() => consumer.health().state === 'down', patience)
    expect(gaps).toEqual([{ source: 'stop/all', scope: 'stop/0', missing: 1 }])
    expect(seen).toEqual([])
    // Others need not wait for its session to end.
    await vi.waitUntil(async () => {
      const { groups } = await admin((client) => client.describeGroups(['stop/all']))
      return groups[0]?.members.length === 0
    }, patience)
  })

  test('a group that the broker has forgotten goes on at the oldest record, and says so', async () => {
    const first = await open()
    const seen: number[] = []
    const handler = ({ data }: { readonly data: number }): void => void seen.push(data)
    await first.transport.subscribe('kept', handler, { group: 'all' })
    await first.transport.publish('kept', { data: 0 })
    await vi.waitUntil(() => seen.length === 1, patience)
    await first.transport.close()
    await admin((client) => client.deleteGroups(['kept/all']))
    await write('kept', [[0, 1]])
    const second = await open()
    await second.transport.subscribe('kept', handler, { group: 'all' })
    await vi.waitUntil(() => seen.length === 3, patience)
    expect(seen).toEqual([0, 0, 1])
    expect(second.gaps).toEqual([{ source: 'kept/all', scope: 'kept', missing: undefined }])
    expect(first.gaps).toEqual([])
  })

  test('a position of another log with the same name, or one behind the end that may be, counts for nothing', async () => {
    const { transport } = await open()
    await transport.declare({ topics: [{ name: 'again' }] })
    await write(
      'again',
      numbers(0, 5).map((value) => [0, value]),
    )
    const unit = { name: 'slot:0', partitions: [{ topic: 'again', partition: 0 }] }
    const found: Record<string, unknown> = {}
    await withCluster(async (cluster) => {
      await cluster.countPartitions('again')
      const positions = {
        same: new Position(3, '', cluster.topicId('again')!.slice(0, 6)).commit(true),
        other: new Position(3, '', '_other').commit(true),
        behind: { offset: 9, metadata: '' },
        shorter: new Position(9, '', cluster.topicId('again')!.slice(0, 6)).commit(true),
      }
      for (const [group, { offset, metadata }] of Object.entries(positions)) {
        const commits = [{ topic: 'again', partition: 0, offset, metadata }]
        await cluster.persist(() =>
          cluster.askCoordinator(group, 'main', {
            ...commitOffsets(group, nobody, commits),
            read: (reader) => ({ error: commitOffsets(group, nobody, commits).read(reader)[0]!.error }),
          }),
        )
        const gaps: (number | undefined)[] = []
        const readings = await openReadings(
          cluster,
          group,
          [unit],
          () => true,
          (_, missing) => void gaps.push(missing),
        )
        found[group] = [readings?.get(unit)?.[0]?.line.fetchOffset, gaps]
      }
    })
    expect(found).toEqual({
      same: [3, []],
      other: [0, [undefined]],
      behind: [0, [undefined]],
      shorter: [5, [undefined]],
    })
  })

  test('a topic that is deleted and made anew while it is consumed is read from its beginning', async () => {
    const { transport } = await open()
    const seen: number[] = []
    await transport.subscribe<number>('anew', ({ data }) => void seen.push(data), { group: 'all' })
    await write('anew', [
      [0, 0],
      [0, 1],
    ])
    await vi.waitUntil(() => seen.length === 2, patience)
    await admin(async (client) => {
      await client.deleteTopics({ topics: ['anew'] })
      await vi.waitUntil(async () => {
        await client
          .createTopics({ topics: [{ topic: 'anew', numPartitions: 1 }], waitForLeaders: true })
          .catch(() => undefined)
        return (await client.listTopics()).includes('anew')
      }, patience)
    })
    await vi.waitUntil(
      () =>
        write(
          'anew',
          numbers(10, 20).map((value) => [0, value]),
        ).then(
          () => true,
          () => false,
        ),
      patience,
    )
    await vi.waitUntil(() => new Set(seen).size === 12, patience)
    expect(sorted([...new Set(seen)])).toEqual([0, 1, ...numbers(10, 20)])
  })

  test('partitions that are added are noticed and read from their beginning, retries of them too', async () => {
    const { transport } = await open()
    const groups: number[] = []
    const ephemeral: number[] = []
    await transport.subscribe<number>(
      'grows',
      ({ data }, { attempt }) => {
        if (data >= 2 && attempt === 1) throw new Error('once more')
        groups.push(data)
      },
      { group: 'all', retryDelay: () => 1 },
    )
    await transport.subscribe<number>('grows', ({ data }) => void ephemeral.push(data), { ephemeral: true })
    await admin((client) => client.createPartitions({ topicPartitions: [{ topic: 'grows', count: 3 }] }))
    await withCluster((cluster) =>
      vi.waitUntil(async () => {
        await cluster.refresh(['grows'])
        return cluster.leader({ topic: 'grows', partition: 2 }) >= 0
      }, patience),
    )
    await write('grows', [
      [0, 0],
      [1, 1],
      [2, 2],
    ])
    await vi.waitUntil(() => new Set(groups).size === 3 && new Set(ephemeral).size === 3, patience)
    // What wrote them writes all of them again where one partition is not known yet.
    expect([new Set(sorted(groups)), new Set(sorted(ephemeral))].map((set) => [...set])).toEqual([
      [0, 1, 2],
      [0, 1, 2],
    ])
    // Whoever declares it again finds nothing wrong, and gives the retries of each a place of their own.
    const again = await open()
    await again.transport.declare({ subscriptions: [{ topic: 'grows', group: 'all' }] })
    const { topics } = await admin((client) => client.fetchTopicMetadata({ topics: ['grows..all..retry'] }))
    expect(topics[0]?.partitions).toHaveLength(13 + 3)
    // So does who has consumed all the time.
    let last = 2
    await vi.waitUntil(
      async () => {
        await write('grows', [[2, (last += 1)]])
        const ends = await admin((client) => client.fetchTopicOffsets('grows..all..retry'))
        return ends.some(({ partition, high }) => partition === 13 + 2 && high !== '0')
      },
      { timeout: 30_000, interval: 500 },
    )
    await vi.waitUntil(() => new Set(groups).size === last + 1, patience)
  })

  test('of transactions what was committed is handled, and what they leave in the log is passed', async () => {
    const { transport } = await open()
    const seen: number[] = []
    await transport.declare({ topics: [{ name: 'deals' }] })
    const producer = bench.raw.producer({
      transactionalId: 'deals',
      maxInFlightRequests: 1,
      idempotent: true,
    })
    await producer.connect()
    for (const [value, commits] of [
      [1, true],
      [2, false],
      [3, true],
      [4, false],
    ] as const) {
      const transaction = await producer.transaction()
      // What is left out may be more than is handed out at a time.
      const messages = Array.from({ length: commits ? 1 : 100 }, () => ({ value: `${value}` }))
      await transaction.send({ topic: 'deals', messages })
      await (commits ? transaction.commit() : transaction.abort())
    }
    await producer.disconnect()
    await transport.subscribe<number>('deals', ({ data }) => void seen.push(data), {
      group: 'all',
      from: 'earliest',
    })
    await vi.waitUntil(() => seen.length === 2, patience)
    await vi.waitUntil(async () => (await transport.depth('deals/all')).lag === 0, patience)
    expect(seen).toEqual([1, 3])
  })

  test('what no pattern of a group matches is passed, and does not count as waiting', async () => {
    const { transport } = await open()
    const seen: unknown[] = []
    await transport.subscribe('mixed', ({ data }) => void seen.push(data), {
      group: 'few',
      patterns: 'few.*',
    })
    const many = numbers(0, 2_000).map((data) => ({ data, type: 'many.things' }))
    await transport.publishMany('mixed', many)
    await transport.publish('mixed', { data: 'one', type: 'few.things' })
    await transport.publishMany('mixed', many)
    await vi.waitUntil(async () => (await transport.depth('mixed/few')).lag === 0, patience)
    expect(seen).toEqual(['one'])
  })

  test('a message that takes long stops its partition at a bound, with an event, and all goes on afterwards', async () => {
    const { transport } = await open()
    const events: unknown[] = []
    transport.on('paused', ({ source, scope }) => void events.push(['paused', source, scope]))
    transport.on('resumed', ({ source, scope }) => void events.push(['resumed', source, scope]))
    let release: () => void = () => undefined
    const stuck = new Promise<void>((resolve) => {
      release = resolve
    })
    const seen = new Set<number>()
    await transport.consume<number>(
      'bounded',
      async ({ data }) => {
        if (data === 0) await stuck
        seen.add(data)
      },
      { concurrency: 100, prefetch: 1_000 },
    )
    await transport.sendMany(
      'bounded',
      numbers(0, 10_000).map((data) => ({ data })),
    )
    await vi.waitUntil(() => events.length === 1 && seen.size === 7_999, patience)
    release()
    await vi.waitUntil(() => seen.size === 10_000, patience)
    expect(events).toEqual([
      ['paused', 'bounded', 'bounded[0]'],
      ['resumed', 'bounded', 'bounded[0]'],
    ])
  })

  test('the age of a source is that of the oldest record that is not done', async () => {
    const { transport } = await open()
    await transport.declare({ subscriptions: [{ topic: 'old', group: 'all' }] })
    const producer = bench.raw.producer()
    await producer.connect()
    const hourAgo = Date.now() - 3_600_000
    await producer.send({
      topic: 'old',
      messages: [
        { value: '0', timestamp: `${hourAgo - 3_600_000}` },
        { value: '1', timestamp: `${hourAgo}` },
        { value: '2' },
      ],
    })
    await producer.disconnect()
    const held = new Promise<void>(() => undefined)
    const consumer = await transport.subscribe<number>('old', ({ data }) => (data === 1 ? held : undefined), {
      group: 'all',
      concurrency: 3,
    })
    await vi.waitUntil(async () => (await transport.depth('old/all')).lag === 1, patience)
    const { ready, oldestAgeMs } = await transport.depth('old/all')
    expect([ready, oldestAgeMs]).toEqual([0, undefined])
    await consumer.stop({ deadlineMs: 0 })
    const age = (await transport.depth('old/all')).oldestAgeMs ?? 0
    expect(age).toBeGreaterThanOrEqual(3_600_000)
    expect(age).toBeLessThan(7_200_000)
  })

  test('what gzip leaves of many is read on, and holds up nothing', async () => {
    const { transport } = await open()
    const seen: number[] = []
    await transport.consume<number>('packed', ({ data }) => void seen.push(data), { prefetch: 500 })
    const producer = bench.raw.producer()
    await producer.connect()
    await producer.send({
      topic: 'packed',
      compression: CompressionTypes.GZIP,
      messages: numbers(0, 5_000).map((value) => ({ value: `${value}` })),
    })
    await producer.disconnect()
    await vi.waitUntil(() => seen.length === 5_000, patience)
    expect(sorted(seen)).toEqual(numbers(0, 5_000))
  })
})
