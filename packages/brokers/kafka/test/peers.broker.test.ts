import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { CompressionTypes, Partitioners } from 'kafkajs'
import kafkajs from 'kafkajs'
import { kafka } from '@posthorn/kafka'
import { fixed } from '@posthorn/transport'
import { describe, expect, test, vi } from 'vitest'
import { withKafka } from './with-kafka.ts'

const patience = { timeout: 20_000, interval: 20 }

describe('beside a program with plain kafkajs', () => {
  const bench = withKafka()

  async function send(
    topic: string,
    messages: Parameters<ReturnType<typeof bench.raw.producer>['send']>[0]['messages'],
    compression?: CompressionTypes,
  ): Promise<void> {
    const producer = bench.raw.producer({ createPartitioner: Partitioners.JavaCompatiblePartitioner })
    await producer.connect()
    await producer.send({ topic, messages, ...(compression === undefined ? {} : { compression }) })
    await producer.disconnect()
  }

  test('its JSON is consumed, with its place as the id, and its key and headers', async () => {
    const transport = await kafka({ url: bench.url, partitions: 1 })
    await transport.declare({ queues: [{ name: 'theirs' }] })
    const seen: unknown[] = []
    await transport.consume('theirs', (message, { idempotencyKey }) => {
      const { data, key, headers } = message
      seen.push({ data, key, headers: { ...headers }, idempotencyKey })
    })
    await send('theirs', [{ key: 'customer-1', value: '{"total":1}', headers: { tenant: 'acme' } }])
    await vi.waitUntil(() => seen.length > 0, patience)
    expect(seen).toEqual([
      {
        data: { total: 1 },
        key: 'customer-1',
        headers: { tenant: 'acme' },
        idempotencyKey: expect.stringContaining('theirs/0/0'),
      },
    ])
    await transport.close()
  })

  test('its CloudEvents are consumed, with their ids and types, and what else they say as headers', async () => {
    const transport = await kafka({ url: bench.url, partitions: 1 })
    const seen: unknown[] = []
    await transport.subscribe(
      'events',
      ({ id, type, time, data, headers }, { attempt, idempotencyKey }) => {
        if (attempt === 1) throw new Error('again')
        seen.push({ id, type, time, data, headers: { ...headers }, idempotencyKey })
      },
      { group: 'audit', patterns: 'com.example.#', retryDelay: fixed(0) },
    )
    const event = { ce_specversion: '1.0', ce_source: '/their/service', ce_subject: 'thing-1' }
    await send('events', [
      { value: '{"a":1}', headers: { ...event, ce_id: 'a-1', ce_type: 'org.example.made' } },
      {
        value: '{"a":2}',
        headers: {
          ...event,
          ce_id: 'a-2',
          ce_type: 'com.example.made',
          ce_time: '2023-11-14T22:13:20Z',
          'content-type': 'application/json',
        },
      },
    ])
    await vi.waitUntil(() => seen.length > 0, patience)
    expect(seen).toEqual([
      {
        id: 'a-2',
        type: 'com.example.made',
        time: 1_700_000_000_000,
        data: { a: 2 },
        headers: { ce_source: '/their/service', ce_subject: 'thing-1' },
        idempotencyKey: expect.stringContaining('a-2'),
      },
    ])
    await transport.close()
  })

  test('it reads ours: plain JSON, a CloudEvent in its headers', async () => {
    const transport = await kafka({ url: bench.url })
    await transport.declare({ topics: [{ name: 'ours' }] })
    const consumer = bench.raw.consumer({ groupId: 'reader' })
    const seen: { readonly value: string; readonly headers: Readonly<Record<string, string>> }[] = []
    await consumer.connect()
    await consumer.subscribe({ topic: 'ours', fromBeginning: true })
    await consumer.run({
      eachMessage: async ({ message }) => {
        const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)])
        seen.push({ value: String(message.value), headers: Object.fromEntries(headers) })
      },
    })
    await transport.publish('ours', { data: { total: 2 }, id: 'order-2', type: 'order.created' })
    await vi.waitUntil(() => seen.length > 0, patience)
    expect(seen[0]?.value).toBe('{"total":2}')
    expect(seen[0]?.headers).toMatchObject({
      ce_specversion: '1.0',
      ce_id: 'order-2',
      ce_source: 'posthorn:ours',
      ce_type: 'order.created',
      'content-type': 'application/json',
    })
    expect(Date.parse(seen[0]?.headers['ce_time'] ?? '')).toBeGreaterThan(0)
    await consumer.disconnect()
    await transport.close()
  })

  test('both give a key the same partition', async () => {
    const transport = await kafka({ url: bench.url, partitions: 5 })
    await transport.declare({ queues: [{ name: 'keyed' }] })
    const keys = Array.from({ length: 30 }, (_, index) => `customer-${index}-ö`)
    const ids = new Map<string, Set<string>>()
    await transport.sendMany(
      'keyed',
      keys.map((key) => ({ data: 'ours', key })),
    )
    await send(
      'keyed',
      keys.map((key) => ({ key, value: '"theirs"' })),
    )
    const consumer = bench.raw.consumer({ groupId: 'looker' })
    await consumer.connect()
    await consumer.subscribe({ topic: 'keyed', fromBeginning: true })
    let count = 0
    await consumer.run({
      eachMessage: async ({ message, partition }) => {
        count += 1
        const key = String(message.key)
        ids.set(key, (ids.get(key) ?? new Set()).add(`${partition}`))
      },
    })
    await vi.waitUntil(() => count === 60, patience)
    expect([...ids.values()].every((partitions) => partitions.size === 1)).toBe(true)
    await consumer.disconnect()
    await transport.close()
  })

  test.each([
    ['gzip', CompressionTypes.GZIP],
    ['zstd', CompressionTypes.ZSTD],
  ])('what it compresses by %s is consumed', async (name, compression) => {
    kafkajs.CompressionCodecs[CompressionTypes.ZSTD] = () => ({
      compress: async ({ buffer }: { readonly buffer: Buffer }) => zstdCompressSync(buffer),
      decompress: async (buffer: Buffer) => zstdDecompressSync(buffer),
    })
    const transport = await kafka({ url: bench.url, partitions: 1 })
    await transport.declare({ queues: [{ name }] })
    const seen: unknown[] = []
    await transport.consume(name, ({ data }) => void seen.push(data))
    await send(name, [{ value: '1' }, { value: '2' }], compression)
    await vi.waitUntil(() => seen.length === 2, patience)
    expect(seen).toEqual([1, 2])
    await transport.close()
  })
})
