import { describe, expect, test, vi } from 'vitest'
import { fixed } from '@posthorn/transport'
import { systemClock } from '@posthorn/transport/driver'
import { sideQueueArguments } from '../src/queue-arguments.ts'
import { wishHeader } from '../src/wish.ts'
import { patience, version, withRabbitmq } from './with-rabbitmq.ts'

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

describe(`order by key on RabbitMQ ${version}`, () => {
  const bench = withRabbitmq()

  async function filled(count: number): Promise<string> {
    const queue = bench.name('orders')
    const sender = await bench.open()
    await sender.declare({ queues: [{ name: queue, order: 'key' }] })
    await sender.sendMany(
      queue,
      numbers(count).map((data) => ({ data, key: 'customer-1' })),
    )
    return queue
  }

  test('what an owner held comes in its order to the next ones, though their windows are smaller', async () => {
    const queue = await filled(30)
    for (const prefetch of [20, 5, 3]) {
      const owner = await bench.open()
      const held: unknown[] = []
      await owner.consume(
        queue,
        ({ data }, { signal }) => {
          held.push(data)
          return new Promise((_, reject) => signal.addEventListener('abort', reject))
        },
        { order: 'key', concurrency: 1, prefetch },
      )
      await vi.waitFor(() => expect(held).toEqual([0]), patience)
      await owner.close({ deadlineMs: 0 })
    }
    const last = await bench.open()
    const seen: unknown[] = []
    await last.consume(queue, ({ data }) => void seen.push(data), { order: 'key', concurrency: 4 })
    await vi.waitFor(() => expect(seen).toEqual(numbers(30)), patience)
  })

  test('what comes back from one who gave the queue on at once comes in its order, though the next window is smaller', async () => {
    const queue = await filled(30)
    const held = `${queue}~held`
    await bench.channel.assertQueue(held, { durable: true, arguments: sideQueueArguments })
    const timestamp = Math.floor(systemClock.now() / 1_000)
    bench.channel.sendToQueue(held, Buffer.alloc(0), { headers: { [wishHeader]: '2' }, timestamp })
    const larger = await bench.open()
    await larger.consume(queue, () => undefined, { order: 'key', concurrency: 1, prefetch: 20 })
    // The wish, and how much it had taken in.
    await vi.waitFor(
      async () => expect((await bench.channel.checkQueue(held)).messageCount).toBe(2),
      patience,
    )
    await larger.close()
    const smaller = await bench.open()
    const seen: unknown[] = []
    await smaller.consume(queue, ({ data }) => void seen.push(data), { order: 'key', concurrency: 4 })
    await vi.waitFor(() => expect(seen).toEqual(numbers(30)), patience)
  }, 30_000)

  test('a larger concurrency gets a larger window', async () => {
    const queue = bench.name('orders')
    const transport = await bench.open()
    let running = 0
    const ends: (() => void)[] = []
    const consumer = await transport.consume(
      queue,
      () =>
        new Promise<void>((resolve) => {
          running += 1
          ends.push(resolve)
        }),
      { order: 'key', concurrency: 1 },
    )
    await transport.sendMany(
      queue,
      numbers(20).map((data) => ({ data })),
    )
    await vi.waitFor(() => expect(running).toBe(1), patience)
    consumer.setConcurrency(8)
    ends.splice(0).forEach((end) => end())
    await vi.waitFor(() => expect(ends).toHaveLength(8), patience)
    ends.forEach((end) => end())
  })

  test('an instance that is paused lets another one have the queue, and takes it up again', async () => {
    const queue = bench.name('orders')
    const [paused, other, sender] = [
      await bench.open({ maxHoldMs: 5_000 }),
      await bench.open(),
      await bench.open(),
    ]
    const seen: string[] = []
    const options = { order: 'key', concurrency: 4 } as const
    const first = await paused.consume(queue, ({ data }) => void seen.push(`first ${String(data)}`), options)
    await sender.send(queue, { data: 0, key: 'a' })
    await vi.waitFor(() => expect(seen).toEqual(['first 0']), patience)
    const second = await other.consume(queue, ({ data }) => void seen.push(`second ${String(data)}`), options)
    first.pause()
    await sender.sendMany(queue, [
      { data: 1, key: 'a' },
      { data: 2, key: 'a' },
    ])
    await vi.waitFor(() => expect(seen).toEqual(['first 0', 'second 1', 'second 2']), patience)
    first.resume()
    await second.stop()
    await sender.send(queue, { data: 3, key: 'a' })
    await vi.waitFor(() => expect(seen.at(-1)).toBe('first 3'), patience)
    expect(seen).toHaveLength(4)
  })

  test('a retry that takes longer than a delivery may be held keeps its key waiting, and its attempts', async () => {
    const queue = bench.name('orders')
    const transport = await bench.open({ maxHoldMs: 2_000 })
    const seen: string[] = []
    const startedAt: number[] = []
    await transport.consume(
      queue,
      ({ data, time }, { attempt }) => {
        seen.push(`${String(data)} ${attempt}`)
        startedAt.push(transport.clock.now() - time)
        if (data === 0 && attempt === 1) throw new Error('again')
      },
      { order: 'key', concurrency: 4, retryDelay: fixed(5_000), handlerTimeoutMs: 1_000 },
    )
    await transport.sendMany(queue, [
      { data: 0, key: 'a' },
      { data: 1, key: 'a' },
    ])
    await vi.waitFor(() => expect(seen).toEqual(['0 1', '0 2', '1 1']), patience)
    expect(startedAt[1]! - startedAt[0]!).toBeGreaterThanOrEqual(5_000)
    expect(transport.health().state).toBe('up')
  }, 30_000)
})
