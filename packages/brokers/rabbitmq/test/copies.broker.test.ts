import { fixed, type Transport } from '@posthorn/transport'
import { connect, type Channel, type GetMessage } from 'amqplib'
import { describe, expect, test, vi } from 'vitest'
import { patience, version, withRabbitmq } from './with-rabbitmq.ts'

/** What brokers have left on a message of another program. */
function marks(queue: string): Record<string, unknown> {
  const death = { queue, exchange: '', reason: 'rejected', count: 3, 'routing-keys': [queue] }
  return {
    'x-death': [death],
    'x-first-death-queue': queue,
    'x-first-death-exchange': '',
    'x-first-death-reason': 'rejected',
    'x-last-death-queue': queue,
    'x-last-death-exchange': '',
    'x-last-death-reason': 'rejected',
    'x-delivery-count': 7,
  }
}

const headersOf = (message: GetMessage): Record<string, unknown> =>
  (message.properties.headers ?? {}) as Record<string, unknown>

/** The headers of `message` by which brokers route and count, but for what a queue of ours counts itself. */
const brokersHeaders = (message: GetMessage): string[] =>
  Object.keys(headersOf(message)).filter((name) =>
    /^(CC|BCC|x-(?!delivery-count$|acquired-count$))/.test(name),
  )

/** Where a report counts them. */
const passed = { keep: 'kept', replay: 'replayed', discard: 'discarded' } as const

describe(`copies on RabbitMQ ${version}`, () => {
  const bench = withRabbitmq()

  async function take(channel: Channel, queue: string): Promise<GetMessage> {
    return vi.waitFor(async () => {
      const message = await channel.get(queue, { noAck: true })
      if (message === false) throw new Error(`There is nothing in ${queue}.`)
      return message
    }, patience)
  }

  const countOf = async (queue: string): Promise<number> =>
    (await bench.channel.checkQueue(queue)).messageCount

  /** A message that has been everywhere, and two queues that its CC and BCC name. */
  async function put(queue: string): Promise<{ readonly seen: readonly string[] }> {
    const [copied, blind] = [bench.name('copied'), bench.name('blind')]
    for (const name of [copied, blind]) await bench.channel.assertQueue(name, { durable: true })
    bench.channel.sendToQueue(queue, Buffer.from('{"total":1}'), {
      messageId: `of-${queue}`,
      headers: { ...marks(queue), tenant: 'a', BCC: [blind] },
      CC: [copied],
      expiration: '60000',
    })
    for (const name of [copied, blind])
      await vi.waitFor(async () => expect(await countOf(name)).toBe(1), patience)
    return { seen: [copied, blind] }
  }

  async function expectNoneOf(names: readonly string[]): Promise<void> {
    // Each has the one that the producer sent.
    expect(await Promise.all(names.map(countOf))).toEqual(names.map(() => 1))
  }

  async function declared(transport: Transport, base: string): Promise<string> {
    const queue = bench.name(base)
    await transport.declare({ queues: [{ name: queue }] })
    return queue
  }

  test('a retry at once carries no marks', async () => {
    const transport = await bench.open()
    const queue = await declared(transport, 'orders')
    const { seen } = await put(queue)
    let stopping: Promise<unknown> | undefined
    const consumer = await transport.consume(queue, (_, context) => {
      stopping = consumer.stop()
      return context.retry({ delayMs: 0 })
    })
    await vi.waitFor(() => expect(stopping).toBeDefined(), patience)
    await stopping
    const copy = await take(bench.channel, queue)
    expect([brokersHeaders(copy), copy.properties.expiration]).toEqual([[], undefined])
    expect([headersOf(copy)['tenant'], headersOf(copy)['posthorn-attempt']]).toEqual(['a', '2'])
    await expectNoneOf(seen)
  })

  test('ladders of two retries carry only the marks of the last one, and take their time', async () => {
    const transport = await bench.open()
    const queue = await declared(transport, 'orders')
    const { seen } = await put(queue)
    const attempts: number[] = []
    const consumer = await transport.consume(
      queue,
      (_, context) => {
        attempts.push(context.attempt)
        return context.attempt < 3 ? context.retry({ delayMs: 300 }) : context.release({ delayMs: 200 })
      },
      { concurrency: 1 },
    )
    await vi.waitFor(() => expect(attempts).toEqual([1, 2, 3]), patience)
    await consumer.stop()
    const message = await take(bench.channel, queue)
    const headers = headersOf(message)
    const deaths = headers['x-death'] as readonly {
      readonly queue: string
      readonly count: number
      readonly reason: string
    }[]
    // 200 ms: one step of 128, one of 64 and one of 32.
    expect(deaths.map(({ queue: from, count, reason }) => `${from} ${count} ${reason}`).toSorted()).toEqual([
      'posthorn:delay:128 1 expired',
      'posthorn:delay:32 1 expired',
      'posthorn:delay:64 1 expired',
    ])
    expect([headers['x-first-death-queue'], headers['tenant'], headers['CC'], headers['BCC']]).toEqual([
      'posthorn:delay:128',
      'a',
      undefined,
      undefined,
    ])
    expect([message.properties.expiration, message.properties.messageId]).toEqual([undefined, `of-${queue}`])
    await expectNoneOf(seen)
  })

  test('a dead letter carries none, and neither does its replay', async () => {
    const transport = await bench.open()
    const queue = await declared(transport, 'orders')
    const { seen } = await put(queue)
    const consumer = await transport.consume(queue, (_, context) => context.deadLetter({ reason: 'no' }))
    const letters = transport.deadLetters(queue)
    await vi.waitFor(async () => expect(await letters.count()).toBe(1), patience)
    await consumer.stop()
    const letter = await bench.channel.get(`${queue}.dlq`)
    if (letter === false) throw new Error('It is not there.')
    expect([brokersHeaders(letter), letter.properties.expiration, letter.content.toString()]).toEqual([
      [],
      undefined,
      '{"total":1}',
    ])
    bench.channel.nack(letter)
    await vi.waitFor(async () => expect(await letters.replay('all')).toMatchObject({ replayed: 1 }), patience)
    const replayed = await take(bench.channel, queue)
    expect([brokersHeaders(replayed), replayed.properties.expiration]).toEqual([[], undefined])
    expect([headersOf(replayed)['tenant'], replayed.properties.messageId]).toEqual(['a', `of-${queue}`])
    await expectNoneOf(seen)
  })

  test.each(['replay', 'discard', 'keep'] as const)(
    'two hundred dead letters are done with by one %s',
    async (choice) => {
      const transport = await bench.open()
      const queue = await declared(transport, 'orders')
      await transport.sendMany(
        `${queue}.dlq`,
        Array.from({ length: 200 }, (_, number) => ({ data: number })),
      )
      const letters = transport.deadLetters(queue)
      const report = await letters.pass(() => choice)
      expect(report).toEqual({ kept: 0, replayed: 0, discarded: 0, failed: 0, [passed[choice]]: 200 })
      expect(await transport.depth(queue)).toMatchObject({
        ready: choice === 'replay' ? 200 : 0,
        deadLettered: choice === 'keep' ? 200 : 0,
      })
    },
  )

  test('a dead letter that is kept carries none', async () => {
    const transport = await bench.open()
    const queue = await declared(transport, 'orders')
    const { seen } = await put(`${queue}.dlq`)
    const report = await transport.deadLetters(queue).pass(() => 'keep')
    expect(report).toMatchObject({ kept: 1, failed: 0 })
    const letter = await take(bench.channel, `${queue}.dlq`)
    expect([brokersHeaders(letter), letter.properties.expiration, headersOf(letter)['tenant']]).toEqual([
      [],
      undefined,
      'a',
    ])
    await expectNoneOf(seen)
  })

  test('headers of ours that are called as those of brokers harm nothing, and come through a retry and a dead letter', async () => {
    const transport = await bench.open()
    const [queue, nobody] = [bench.name('orders'), bench.name('nobody')]
    await transport.declare({ queues: [{ name: nobody }] })
    const headers = {
      CC: nobody,
      BCC: nobody,
      'x-death': 'mine',
      'x-delivery-count': '9',
      'x-first-death-queue': 'mine',
    }
    const seen: unknown[] = []
    await transport.consume(
      queue,
      (message, { attempt, deliveries }) => {
        seen.push([attempt, deliveries, { ...message.headers }])
        throw new Error('no')
      },
      { maxAttempts: 2, retryDelay: fixed(10) },
    )
    await Promise.all([transport.send(queue, { data: 1, headers }), transport.send(nobody, { data: 2 })])
    const letters = transport.deadLetters(queue)
    await vi.waitFor(async () => expect(await letters.count()).toBe(1), patience)
    expect(seen).toEqual([
      [1, 1, headers],
      [2, 1, headers],
    ])
    expect((await letters.page()).entries.map((entry) => ({ ...entry.headers }))).toEqual([headers])
    expect(await countOf(nobody)).toBe(1)
  })

  test('hand-outs of another queue, which a message brings with it, do not count', async () => {
    const transport = await bench.open()
    const queue = await declared(transport, 'orders')
    bench.channel.sendToQueue(queue, Buffer.from('1'), { headers: { 'x-delivery-count': 1_000_000 } })
    const deliveries: number[] = []
    await transport.consume(queue, (_, context) => void deliveries.push(context.deliveries))
    await vi.waitFor(() => expect(deliveries).toEqual([1]), patience)
    expect(await transport.deadLetters(queue).count()).toBe(0)
  })

  test('headers that fill amqplib’s buffer are left out one by one, and the message goes its way', async () => {
    const transport = await bench.open()
    const queue = await declared(transport, 'orders')
    const headers = { tenant: 'a', larger: 'x'.repeat(35_000), large: 'y'.repeat(30_000) }
    bench.channel.sendToQueue(queue, Buffer.from('{"total":1}'), { messageId: 'order-1', headers })
    const seen: unknown[] = []
    const consumer = await transport.consume(
      queue,
      (message, { attempt }) => {
        seen.push([attempt, message.headers['larger']?.length, message.headers['large']?.length])
        throw new Error('é'.repeat(100_000))
      },
      { maxAttempts: 3, retryDelay: fixed(10) },
    )
    const letters = transport.deadLetters(queue)
    await vi.waitFor(async () => expect(await letters.count()).toBe(1), patience)
    await consumer.stop()
    const note = '(left out: 35000 bytes, which do not fit into a copy)'
    expect(seen).toEqual([
      [1, 35_000, 30_000],
      [2, note.length, 30_000],
      [3, note.length, 30_000],
    ])
    const { entries } = await letters.page()
    expect(
      entries.map((entry) => [Buffer.from(entry.body).toString(), { ...entry.headers }, entry.attempts]),
    ).toEqual([['{"total":1}', { ...headers, larger: note }, 3]])
    expect(await transport.depth(queue)).toMatchObject({ ready: 0 })
  })

  test.each(['quorum', 'classic'])(
    'a dead-letter queue that others filled from a %s queue is read',
    async (type) => {
      const transport = await bench.open({ topology: 'check' })
      const [queue, dead] = [bench.name('legacy'), bench.name('legacy-dead')]
      await bench.channel.assertQueue(dead, { durable: true })
      await bench.channel.assertQueue(queue, {
        durable: true,
        arguments: {
          'x-queue-type': type,
          'x-dead-letter-exchange': '',
          'x-dead-letter-routing-key': dead,
          'x-max-length': 2,
        },
      })
      const send = (id: string, options: object = {}): unknown =>
        bench.channel.sendToQueue(queue, Buffer.from(`{"id":"${id}"}`), {
          messageId: id,
          persistent: true,
          ...options,
        })
      send('rejected')
      const message = await vi.waitFor(async () => {
        const found = await bench.channel.get(queue)
        if (found === false) throw new Error('It is not there.')
        return found
      }, patience)
      bench.channel.reject(message, false)
      send('expired', { expiration: '1' })
      await vi.waitFor(async () => expect(await countOf(dead)).toBe(2), patience)
      for (const id of ['maxlen', 'second', 'third']) send(id)
      await vi.waitFor(async () => expect(await countOf(dead)).toBe(3), patience)

      const letters = transport.deadLetters({ queue, deadLetterQueue: dead })
      expect(await letters.count()).toBe(3)
      const { entries } = await letters.page()
      expect(
        entries.map(({ id, reason, source, attempts, body }) => [
          id,
          reason,
          source,
          attempts,
          Buffer.from(body).toString(),
        ]),
      ).toEqual([
        ['rejected', 'rejected', queue, 0, '{"id":"rejected"}'],
        ['expired', 'expired', queue, 0, '{"id":"expired"}'],
        ['maxlen', 'maxlen', queue, 0, '{"id":"maxlen"}'],
      ])
      for (const { deadLetteredAt, deliveries } of entries) {
        expect(deadLetteredAt).toBeGreaterThan(1_600_000_000_000)
        expect(deliveries).toBe(1)
      }
      await bench.channel.purgeQueue(queue)
      const ids = entries.map(({ entryId }) => entryId)
      expect(await letters.replay(ids.slice(0, 1))).toMatchObject({ replayed: 1 })
      expect((await take(bench.channel, queue)).properties.messageId).toBe('rejected')
      // What was kept is what it was.
      const kept = (await letters.page()).entries
      expect(kept.map(({ entryId, id, reason }) => [entryId, id, reason])).toEqual([
        [ids[1], 'expired', 'expired'],
        [ids[2], 'maxlen', 'maxlen'],
      ])
      expect(await letters.discard('all')).toMatchObject({ discarded: 2 })
    },
  )
})

describe(`copies on RabbitMQ ${version} with small frames`, () => {
  const frameMax = 16_384
  const bench = withRabbitmq(async () => ({ config: { frame_max: frameMax } }))

  test('what fits a producer’s frame fits ours, and no connection is lost by it', async () => {
    const transport = await bench.open()
    const queue = bench.name('orders')
    await transport.declare({ queues: [{ name: queue }] })
    const lost: unknown[] = []
    transport.on('connection', (event) => lost.push(event))
    const plain = await connect(bench.server.url)
    const channel = await plain.createConfirmChannel()
    channel.sendToQueue(queue, Buffer.from('1'), { headers: { tenant: 'a', large: 'x'.repeat(16_000) } })
    await channel.waitForConfirms()
    await plain.close()
    await transport.consume(
      queue,
      () => {
        throw new Error('é'.repeat(5_000))
      },
      { maxAttempts: 2, retryDelay: fixed(10) },
    )
    const letters = transport.deadLetters(queue)
    await vi.waitFor(async () => expect(await letters.count()).toBe(1), patience)
    const { entries } = await letters.page()
    expect(entries.map(({ headers, attempts }) => [{ ...headers }, attempts])).toEqual([
      [{ tenant: 'a', large: '(left out: 16000 bytes, which do not fit into a copy)' }, 2],
    ])
    expect(lost).toEqual([])
  })

  test('headers that would not fit are refused before they are sent', async () => {
    const transport = await bench.open()
    const queue = bench.name('orders')
    const { maxHeaderBytes } = transport.capabilities.limits
    await transport.send(queue, { data: 1, headers: { large: 'x'.repeat(maxHeaderBytes - 5) } })
    const sent = transport.send(queue, { data: 1, headers: { large: 'x'.repeat(frameMax) } })
    await expect(sent).rejects.toMatchObject({ code: 'POSTHORN_HEADERS_TOO_LARGE', outcome: 'rejected' })
    expect(transport.health().state).toBe('up')
  })
})
