import { describe, expect, test, vi } from 'vitest'
import { fixed, type Consumer, type Transport } from '@posthorn/transport'
import { systemClock } from '@posthorn/transport/driver'
import { patience, version, withRabbitmq } from './with-rabbitmq.ts'

const shards = 8
/** How far the load is ahead of the handlers, and what each of them takes. */
const mostStepsAhead = 5
const handlingMs = 50
const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index)
const customers = numbers(40).map((index) => `customer-${index}`)

describe(`shards on RabbitMQ ${version}`, () => {
  const bench = withRabbitmq()

  /** How many shards each connection has, fewest first. */
  async function spread(queue: string): Promise<number[]> {
    const [consumers, channels] = await Promise.all([
      bench.server.ctl('-q', 'list_consumers', 'queue_name', 'channel_pid', 'active'),
      bench.server.ctl('-q', 'list_channels', 'pid', 'connection'),
    ])
    const rows = (text: string): string[][] => text.split('\n').map((line) => line.split('\t'))
    const connectionOf = new Map(
      rows(channels).map(([channel = '', connection = '']) => [channel, connection]),
    )
    const isShard = new RegExp(`^${queue}(~\\d+)?$`)
    const counts = new Map<string, number>()
    for (const [name = '', channel = '', active] of rows(consumers)) {
      if (!isShard.test(name) || active !== 'true') continue
      const connection = connectionOf.get(channel) ?? channel
      counts.set(connection, (counts.get(connection) ?? 0) + 1)
    }
    return [...counts.values()].toSorted((one, other) => one - other)
  }

  /** Sends to each customer in turn, and sees to it that each one's messages begin in order and none is missing. */
  function startLoad(sender: Transport, queue: string): Load {
    const sent = new Map<string, number>()
    const begun = new Map<string, number[]>()
    let isOver = false
    let begunCount = 0
    let wake = (): void => undefined
    const sending = (async () => {
      for (let step = 0; !isOver; step += 1) {
        await sender.sendMany(
          queue,
          customers.map((key) => ({ data: step, key, id: `${key}-${step}` })),
        )
        for (const key of customers) sent.set(key, step + 1)
        while (!isOver && begunCount < (step - mostStepsAhead) * customers.length)
          await new Promise<void>((resolve) => (wake = resolve))
      }
    })()
    sending.catch(() => undefined)
    return {
      async handle({ key = '', data }, { attempt }) {
        const steps = begun.get(key) ?? []
        begun.set(key, steps)
        if (!steps.includes(data as number)) {
          steps.push(data as number)
          begunCount += 1
          wake()
        }
        await new Promise<void>((resolve) => void systemClock.setTimer(resolve, handlingMs))
        if (attempt === 1 && data === 5) throw new Error('again')
      },
      async stop() {
        isOver = true
        wake()
        await sending
        const expected = customers.map((key) => [key, numbers(sent.get(key) ?? 0)])
        await vi.waitFor(() => {
          expect(customers.map((key) => begun.get(key)?.length)).toEqual(
            customers.map((key) => sent.get(key)),
          )
        }, patience)
        expect(customers.map((key) => [key, begun.get(key)])).toEqual(expected)
      },
    }
  }

  test('are spread over the instances that come and go, with each key in order', async () => {
    const queue = bench.name('orders')
    const sender = await bench.open()
    await sender.declare({ queues: [{ name: queue, order: 'key', shards }] })
    const load = startLoad(sender, queue)
    const join = async (): Promise<Consumer> => {
      const transport = await bench.open()
      return transport.consume(queue, load.handle, {
        order: 'key',
        concurrency: 16,
        retryDelay: fixed(200),
      })
    }
    const becomes = (counts: readonly number[]): Promise<void> =>
      vi.waitFor(async () => expect(await spread(queue)).toEqual(counts), {
        timeout: 30_000,
        interval: 200,
      })
    const first = await join()
    await becomes([8])
    const second = await join()
    await becomes([4, 4])
    await join()
    await becomes([2, 3, 3])
    await first.stop()
    await vi.waitFor(async () => expect(await spread(queue)).toHaveLength(2), patience)
    await join()
    await becomes([2, 3, 3])
    await second.stop()
    await load.stop()
  }, 120_000)

  test('of a group get what is published by key, and the first what has no slot', async () => {
    const [topic, group] = [bench.name('events'), 'billing']
    const publisher = await bench.open()
    await publisher.declare({
      subscriptions: [{ topic, group, patterns: ['order.#'], order: 'key', shards: 4 }],
    })
    // Of others, and of a program that does not know of shards.
    bench.channel.publish(topic, 'order.created', Buffer.from('"theirs"'))
    await publisher.publishMany(
      topic,
      customers.flatMap((key) => numbers(3).map((data) => ({ data, key, type: 'order.created' }))),
    )
    await publisher.publish(topic, { data: 'no key', type: 'order.created' })
    await publisher.publish(topic, { data: 'late', key: 'customer-1', type: 'order.created', delayMs: 100 })
    await publisher.publish(topic, { data: 'other', key: 'customer-1', type: 'payment.made' })
    const depths = await Promise.all(
      ['', '~1', '~2', '~3'].map(
        async (shard) => (await bench.channel.checkQueue(`${topic}/${group}${shard}`)).messageCount,
      ),
    )
    expect(depths.every((count) => count > 0)).toBe(true)
    const consumer = await bench.open()
    const seen = new Map<string, unknown[]>()
    await consumer.subscribe(
      topic,
      ({ key = '', data }, { attempt }) => {
        if (data === 1 && attempt === 1) throw new Error('again')
        seen.set(key, [...(seen.get(key) ?? []), data])
      },
      { group, patterns: ['order.#'], order: 'key', concurrency: 20, retryDelay: fixed(50) },
    )
    const expected = new Map<string, unknown[]>(customers.map((key) => [key, [0, 1, 2]]))
    expected.set('customer-1', [0, 1, 2, 'late'])
    expected.set('', ['theirs', 'no key'])
    await vi.waitFor(() => expect(seen).toEqual(expected), patience)
    await vi.waitFor(
      async () =>
        expect(await consumer.depth(`${topic}/${group}`)).toMatchObject({ ready: 0, deadLettered: 0 }),
      patience,
    )
  }, 30_000)

  test('have their dead letters together, and each is replayed to where it came from', async () => {
    const queue = bench.name('orders')
    const sender = await bench.open()
    await sender.declare({ queues: [{ name: queue, order: 'key', shards: 4 }] })
    await sender.sendMany(
      queue,
      customers.map((key) => ({ data: 1, key, id: key })),
    )
    const depth = await sender.depth(queue)
    expect(depth.ready).toBe(customers.length)
    const consumer = await bench.open()
    const replayed: string[] = []
    await consumer.consume(
      queue,
      ({ id, replays }, context) => {
        if (replays === 0) return context.deadLetter({ reason: 'not now' })
        return void replayed.push(id)
      },
      { order: 'key', concurrency: 20 },
    )
    const operator = await bench.open()
    const letters = operator.deadLetters(queue)
    await vi.waitFor(async () => expect(await letters.count()).toBe(customers.length), patience)
    await letters.replay('all')
    await vi.waitFor(() => expect(replayed.toSorted()).toEqual(customers.toSorted()), patience)
  }, 30_000)

  test('lose nothing of a sender that does not know of them', async () => {
    const queue = bench.name('orders')
    const knowing = await bench.open()
    await knowing.declare({ queues: [{ name: queue, order: 'key', shards: 4 }] })
    const seen: unknown[] = []
    await knowing.consume(queue, ({ data }) => void seen.push(data), { order: 'key', concurrency: 20 })
    const unknowing = await bench.open()
    await unknowing.sendMany(
      queue,
      customers.map((key, data) => ({ data, key })),
    )
    await vi.waitFor(() => expect(seen).toHaveLength(customers.length), patience)
  }, 30_000)
})

// With priorities of consumers, it would keep the first one in the line, dead, and hand out to it for ever.
describe('shards on RabbitMQ 4.3', () => {
  const bench = withRabbitmq(async () => ({ version: '4.3' }))

  test('go on to those who are left after their owner has ended while others waited for what it held', async () => {
    const queue = bench.name('orders')
    const sender = await bench.open()
    await sender.declare({ queues: [{ name: queue, order: 'key', shards: 2 }] })
    const join = async (handle: (message: { readonly id: string }) => unknown): Promise<Transport> => {
      const transport = await bench.open()
      await transport.consume(queue, handle, { order: 'key', concurrency: 2 * customers.length })
      return transport
    }
    const held = new Set<string>()
    const hold = ({ id }: { readonly id: string }): Promise<never> => {
      held.add(id)
      return new Promise(() => undefined)
    }
    const holdAll = async (): Promise<void> => {
      await vi.waitFor(() => expect([...held].toSorted()).toEqual(customers.toSorted()), patience)
      held.clear()
    }
    await sender.sendMany(
      queue,
      customers.map((key) => ({ data: 1, key, id: key })),
    )
    const first = await join(hold)
    await holdAll()
    const second = await join(hold)
    await first.close({ deadlineMs: 0 })
    await holdAll()
    await second.close({ deadlineMs: 0 })
    const handled = new Set<string>()
    await join(({ id }) => void handled.add(id))
    await vi.waitFor(() => expect([...handled].toSorted()).toEqual(customers.toSorted()), patience)
  }, 60_000)
})

interface Load {
  readonly handle: (
    message: { readonly key?: string | undefined; readonly data: unknown },
    context: { readonly attempt: number },
  ) => Promise<void>
  stop(): Promise<void>
}
