import { runPython, startPython, tryFindKafkaPython } from '@posthorn/test-brokers'
import { fixed } from '@posthorn/transport'
import { kafka } from '@posthorn/kafka'
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { withKafka } from './with-kafka.ts'

const patience = { timeout: 25_000, interval: 20 }

/** pip may have to fetch it. */
const installMs = 120_000

const at = (program: string): URL => new URL(`python/${program}`, import.meta.url)

interface Task {
  readonly number: number
}

// Their programs are those of the usual tutorials, and know nothing of us.
describe('programs in Python', () => {
  let python = ''
  let missing: string | undefined
  const bench = withKafka()
  const brokers = (): string => bench.server.brokers.join(',')
  const produce = (topic: string, first: number, count: number): ReturnType<typeof runPython> =>
    runPython(python, at('producer.py'), [brokers(), topic, `${first}`, `${count}`])
  const numbers = (count: number): Task[] => Array.from({ length: count }, (_, number) => ({ number }))
  const makeTopic = async (topic: string, numPartitions: number): Promise<void> => {
    const admin = bench.raw.admin()
    await admin.connect()
    await admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: true })
    await admin.disconnect()
  }

  beforeAll(async () => {
    const found = await tryFindKafkaPython()
    missing = found.reason
    python = found.server ?? ''
  }, installMs)
  beforeEach((context) => {
    if (missing !== undefined) context.skip(missing)
  })

  test('what they send to a queue is handled, retried and dead-lettered here, in the order of their keys', async () => {
    const transport = await kafka({ url: bench.url, partitions: 3 })
    const handled = new Map<string, number[]>()
    await transport.consume<Task>(
      'tasks',
      ({ data, key = '' }, { attempt }) => {
        if (data.number === 7) throw new Error('never')
        if (data.number % 2 === 0 && attempt === 1) throw new Error('again')
        handled.set(key, [...(handled.get(key) ?? []), data.number])
      },
      { order: 'key', whileRetrying: 'hold-key', retryDelay: fixed(40), maxAttempts: 2, concurrency: 8 },
    )
    expect(await produce('tasks', 0, 20)).toEqual({ ok: true, output: '' })
    await vi.waitFor(() => expect([...handled.values()].flat()).toHaveLength(19), patience)
    const ofKey = (key: number): number[] => [0, 5, 10, 15].map((step) => step + key)
    expect(Object.fromEntries(handled)).toEqual({
      'customer-0': ofKey(0),
      'customer-1': ofKey(1),
      'customer-2': ofKey(2).filter((number) => number !== 7),
      'customer-3': ofKey(3),
      'customer-4': ofKey(4),
    })
    await vi.waitFor(async () => expect(await transport.depth('tasks')).toMatchObject({ lag: 0 }), patience)
    const { entries } = await transport.deadLetters('tasks').page()
    expect(entries.map(({ body, attempts }) => [Buffer.from(body).toString(), attempts])).toEqual([
      ['{"number": 7}', 2],
    ])
    await transport.close()
  })

  test('they read what is sent here, with its key', async () => {
    const transport = await kafka({ url: bench.url })
    await transport.declare({ queues: [{ name: 'orders' }] })
    await transport.sendMany(
      'orders',
      numbers(20).map((data) => ({ data, key: `customer-${data.number % 5}` })),
    )
    const consumer = startPython(python, at('consumer.py'), [brokers(), 'orders', 'reports'])
    await vi.waitFor(() => expect(consumer.lines).toHaveLength(20), patience)
    await consumer.stop()
    const read = consumer.lines.map((line) => JSON.parse(line) as unknown)
    const sent = numbers(20).map((value) => ({ key: `customer-${value.number % 5}`, value }))
    expect(read).toEqual(expect.arrayContaining(sent))
    await transport.close()
  })

  test('their topic is subscribed to as it is, by groups beside theirs, from its beginning', async () => {
    await makeTopic('clicks', 2)
    await produce('clicks', 0, 10)
    const transport = await kafka({ url: bench.url })
    const seen: number[] = []
    await transport.subscribe<Task>('clicks', ({ data }) => void seen.push(data.number), {
      group: 'statistics',
      from: 'earliest',
    })
    const consumer = startPython(python, at('consumer.py'), [brokers(), 'clicks', 'theirs'])
    await produce('clicks', 10, 10)
    await vi.waitFor(
      () => expect([seen, consumer.lines]).toMatchObject([{ length: 20 }, { length: 20 }]),
      patience,
    )
    await consumer.stop()
    expect(seen.toSorted((left, right) => left - right)).toEqual(numbers(20).map(({ number }) => number))
    await transport.close()
  })

  test('their topic is a queue once it is said that what is in it may go by its age', async () => {
    await makeTopic('jobs', 2)
    await produce('jobs', 0, 10)
    const transport = await kafka({ url: bench.url })
    const refused = transport.consume('jobs', () => undefined)
    await expect(refused).rejects.toMatchObject({ code: 'POSTHORN_TOPOLOGY_MISMATCH' })
    await expect(refused).rejects.toThrow(/retention\.ms: 604800000, not -1/)
    await transport.close()
    const checked = await kafka({ url: bench.url, topology: 'check' })
    await checked.declare(
      { queues: [{ name: 'jobs', native: { config: { 'retention.ms': '604800000' } } }] },
      { mode: 'create' },
    )
    const seen: number[] = []
    await checked.consume<Task>('jobs', ({ data }) => void seen.push(data.number))
    await vi.waitFor(() => expect(seen).toHaveLength(10), patience)
    await checked.close()
  })

  test('records without a value, with keys and headers that are no text, and with bodies that are no JSON, are taken', async () => {
    const transport = await kafka({ url: bench.url, partitions: 1 })
    const seen: unknown[] = []
    await transport.consume(
      'odd',
      ({ data, key, headers }, { attempt }) => {
        if (attempt === 1) throw new Error('again')
        seen.push([key, data, { ...headers }])
      },
      { retryDelay: fixed(0) },
    )
    expect(await runPython(python, at('odd_records.py'), [brokers(), 'odd'])).toEqual({
      ok: true,
      output: '',
    })
    await vi.waitFor(() => expect(seen).toHaveLength(3), patience)
    expect(seen).toEqual(
      expect.arrayContaining([
        ['0xffffffffffffffd6', 'key of a number', {}],
        ['customer-1', null, {}],
        [undefined, 'headers', { bytes: '\ufffd\0', twice: '2' }],
      ]),
    )
    const letters = transport.deadLetters('odd')
    await vi.waitFor(async () => expect(await letters.count()).toBe(1), patience)
    const [letter] = (await letters.page()).entries
    expect(letter).toMatchObject({ key: 'customer-2', body: Uint8Array.of(0, 1) })
    await transport.close()
  })
})
