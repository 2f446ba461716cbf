import { describe, expect, test, vi } from 'vitest'
import { patience, version, withRabbitmq } from './with-rabbitmq.ts'

describe(`the ladder on RabbitMQ ${version}`, () => {
  const bench = withRabbitmq()
  const lost = async (): Promise<number> => (await bench.channel.checkQueue('posthorn:lost:')).messageCount

  test('forty messages whose queue is gone stop no other on the same steps, and arrive when it is back', async () => {
    const transport = await bench.open()
    const [gone, other] = [bench.name('gone'), bench.name('orders')]
    await transport.declare({ queues: [{ name: gone }, { name: other }] })
    const messages = Array.from({ length: 40 }, (_, number) => ({ data: number, delayMs: 2_000 }))
    await transport.sendMany(gone, messages)
    await bench.channel.deleteQueue(gone)
    const seen: unknown[] = []
    await transport.consume(other, ({ data }) => void seen.push(data))
    await vi.waitFor(async () => expect(await lost()).toBe(40), patience)
    await transport.sendMany(other, messages)
    await vi.waitFor(() => expect(seen).toHaveLength(40), patience)

    const back: unknown[] = []
    const again = await bench.open()
    await again.consume(gone, ({ data }) => void back.push(data))
    await vi.waitFor(() => expect(back).toHaveLength(40), patience)
    expect(new Set(back).size).toBe(40)
    await vi.waitFor(async () => expect(await lost()).toBe(0), patience)
  })

  test('what belongs nowhere holds up no declaration, and what is declared while it is looked through comes home', async () => {
    const transport = await bench.open()
    const [gone, back] = [bench.name('gone'), bench.name('back')]
    await transport.declare({ queues: [{ name: gone }, { name: back }] })
    const messages = Array.from({ length: 500 }, (_, number) => ({ data: number, delayMs: 2_000 }))
    await Promise.all([transport.sendMany(gone, messages), transport.sendMany(back, messages.slice(0, 5))])
    for (const queue of [gone, back]) await bench.channel.deleteQueue(queue)
    await vi.waitFor(async () => expect(await lost()).toBe(505), patience)

    const again = await bench.open()
    const seen: unknown[] = []
    await again.declare({ queues: [{ name: bench.name('other') }] })
    await again.consume(back, ({ data }) => void seen.push(data))
    await vi.waitFor(
      () => expect(seen.toSorted((one, other) => Number(one) - Number(other))).toEqual([0, 1, 2, 3, 4]),
      patience,
    )
    await vi.waitFor(async () => expect(await lost()).toBe(500), patience)
    await again.declare({ queues: [{ name: gone }] })
    await vi.waitFor(async () => expect(await again.depth(gone)).toMatchObject({ ready: 500 }), patience)
    await vi.waitFor(async () => expect(await lost()).toBe(0), patience)
  })

  // Seen on 4.0: the head of a step is chosen by priority, and what is at the head holds up the rest until its time.
  test('a message of another priority holds up none', async () => {
    const transport = await bench.open()
    const [queue, clock] = [bench.name('orders'), bench.name('clock')]
    const [seen, ticks]: [unknown[], unknown[]] = [[], []]
    await transport.consume(queue, ({ data, priority }) => void seen.push([data, priority]), {
      concurrency: 1,
    })
    await transport.consume(clock, ({ data }) => void ticks.push(data))
    const withPriority = transport.capabilities.features.priority.level === 'native'
    const messages = [
      ['low', 4],
      ['high', 9],
      ['lower', 0],
    ] as const
    for (const [data, priority] of messages) {
      await transport.send(queue, { data, delayMs: 2_000, ...(withPriority ? { priority } : {}) })
      // Apart, so that each has been handled when the next one arrives.
      await transport.send(clock, { data, delayMs: 500 })
      await vi.waitFor(() => expect(ticks).toContain(data), patience)
    }
    await vi.waitFor(() => expect(seen).toHaveLength(3), patience)
    expect(seen).toEqual(messages.map(([data, priority]) => [data, withPriority ? priority : undefined]))
  })
})
