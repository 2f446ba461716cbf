import { expect, test, vi } from 'vitest'
import { Fetcher } from './fetcher.ts'
import { LogLine } from './log-line.ts'
import { kafkaErrors } from './protocol/error-names.ts'
import { batchAt } from '../test/batch-at.ts'
import { scriptedCluster, type Fetched, type Script } from '../test/scripted-cluster.ts'

/** A batch of one record, as large as it is to be. */
function batch(offset: number, size: number): Buffer {
  return batchAt(offset, Buffer.alloc(size))
}

/** Takes what comes, at once. */
function line(topic: string, partition: number, seen: number[], offset = 0): LogLine {
  const one = new LogLine(topic, partition, offset)
  one.onRecords = () => {
    for (let record = one.peek; record !== undefined; record = one.peek) {
      seen.push(record.offset)
      one.shift()
    }
  }
  return one
}

async function create(script: Script): Promise<{ readonly fetcher: Fetcher; readonly told: unknown[] }> {
  const cluster = scriptedCluster(script)
  await cluster.refresh(Object.keys(script.leaders))
  const told: unknown[] = []
  const fetcher = new Fetcher(cluster, 'fetch', 2 ** 26, {
    gap: ({ partition }, missing) => told.push({ partition, missing }),
    over: ({ partition }, reason) => told.push({ partition, reason }),
  })
  return { fetcher, told }
}

test('a partition with batches that fit into no answer but its own gets its turn beside one that is always busy', async () => {
  // As a broker does it: the first partition with something gets a batch of any size, the others what fits.
  const sizes = [100, 2_000_000]
  const { fetcher } = await create({
    leaders: { orders: [1, 1] },
    fetch: async (_, asked) =>
      asked.map(({ topic, partition, offset }, index): Fetched => {
        const isCut = index > 0 && sizes[partition]! > 1_000_000
        const bytes = batch(offset, sizes[partition]!)
        return { topic, partition, error: 0, bytes: isCut ? bytes.subarray(0, 1_000_000) : bytes }
      }),
  })
  const seen: number[] = []
  fetcher.add(line('orders', 0, []))
  fetcher.add(line('orders', 1, seen))
  await vi.waitUntil(() => seen.length >= 3)
  expect(seen.slice(0, 3)).toEqual([0, 1, 2])
  fetcher.close()
})

test('a partition that another node leads from now on is read there, though the first one has others left', async () => {
  const script: Script = {
    leaders: { orders: [1, 1] },
    fetch: async (node, asked) => {
      const answers = asked.map(({ topic, partition, offset }): Fetched => {
        if (partition === 1 && node === 1) {
          script.leaders = { orders: [1, 2] }
          return { topic, partition, error: kafkaErrors.NOT_LEADER_OR_FOLLOWER, bytes: Buffer.alloc(0) }
        }
        return { topic, partition, error: 0, bytes: partition === 1 ? batch(offset, 10) : Buffer.alloc(0) }
      })
      return answers
    },
  }
  const { fetcher } = await create(script)
  const seen: number[] = []
  fetcher.add(line('orders', 0, []))
  fetcher.add(line('orders', 1, seen))
  await vi.waitUntil(() => seen.length > 0)
  expect(seen[0]).toBe(0)
  fetcher.close()
})

test('what is gone is told with its number, what was fetched before it is kept, and it goes on behind it', async () => {
  const { fetcher, told } = await create({
    leaders: { orders: [1] },
    ends: [8, 9],
    fetch: async (_, asked) =>
      asked.map(({ topic, partition, offset }): Fetched => {
        const isGone = offset > 0 && offset < 8
        const bytes = isGone || offset > 8 ? Buffer.alloc(0) : batch(offset, 10)
        return { topic, partition, error: isGone ? kafkaErrors.OFFSET_OUT_OF_RANGE : 0, bytes }
      }),
  })
  const one = new LogLine('orders', 0, 0)
  fetcher.add(one)
  await vi.waitUntil(() => one.fetchOffset === 9)
  const offsets: number[] = []
  for (let record = one.peek; record !== undefined; record = one.peek) {
    offsets.push(record.offset)
    one.shift()
  }
  expect(offsets).toEqual([0, 8])
  expect(told).toEqual([{ partition: 0, missing: 7 }])
  fetcher.close()
})

test.each([
  [kafkaErrors.OFFSET_OUT_OF_RANGE, 'ends before what was read of it'],
  [kafkaErrors.TOPIC_AUTHORIZATION_FAILED, 'may not be read'],
])('a partition that answers %d for good is told of', async (error, reason) => {
  const { fetcher, told } = await create({
    leaders: { orders: [1] },
    ends: [0, 5],
    fetch: async (_, asked) => asked.map((one): Fetched => ({ ...one, error, bytes: Buffer.alloc(0) })),
  })
  fetcher.add(line('orders', 0, [], 6))
  await vi.waitUntil(() => told.length > 0)
  expect(told[0]).toEqual({ partition: 0, reason: expect.stringContaining(reason) })
  fetcher.close()
})

test(
  'a leader that does not answer holds up nothing for longer than it leads',
  { timeout: 20_000 },
  async () => {
    const script: Script = {
      leaders: { orders: [1] },
      async fetch(node, asked) {
        if (node === 2)
          return asked.map((one): Fetched => ({ ...one, error: 0, bytes: batch(one.offset, 10) }))
        script.leaders = { orders: [2] }
        return new Promise(() => undefined)
      },
    }
    const { fetcher } = await create(script)
    const seen: number[] = []
    fetcher.add(line('orders', 0, seen))
    await vi.waitUntil(() => seen.length > 0, 10_000)
    expect(seen[0]).toBe(0)
    fetcher.close()
  },
)
