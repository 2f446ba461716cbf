import { connect, type Channel, type ChannelModel } from 'amqplib'
import { fixed, isPosthornError, type Transport } from '@posthorn/transport'
import {
  startTcpProxy,
  tryStartRabbitmq,
  type RabbitmqServer,
  type RabbitmqVersion,
} from '@posthorn/test-brokers'
import { systemClock } from '@posthorn/transport/driver'
import { rabbitmq, type RabbitmqOptions } from '@posthorn/rabbitmq'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'

const version = (process.env['POSTHORN_RABBITMQ_VERSION'] ?? '3.10') as RabbitmqVersion
// Installing it the first time takes as long as the network does.
const installMs = 180_000
const patience = { timeout: 15_000, interval: 10 }

describe(`RabbitMQ ${version}`, () => {
  let server: RabbitmqServer
  let reason: string | undefined
  let plain: ChannelModel
  let channel: Channel
  let names = 0
  const opened: Transport[] = []

  const name = (base: string): string => `${base}-${(names += 1)}`

  async function open(options: Partial<RabbitmqOptions> = {}): Promise<Transport> {
    const transport = await rabbitmq({ url: server.url, ...options } as RabbitmqOptions)
    opened.push(transport)
    return transport
  }

  beforeAll(async () => {
    const found = await tryStartRabbitmq({ version })
    reason = found.reason
    if (found.server === undefined) return
    server = found.server
    plain = await connect(server.url)
    plain.on('error', () => undefined)
  }, installMs)

  beforeEach(async (context) => {
    if (reason !== undefined) return context.skip(reason)
    channel = await plain.createChannel()
    channel.on('error', () => undefined)
  })

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((transport) => transport.close({ deadlineMs: 1_000 })))
    await channel?.close().catch(() => undefined)
  })

  afterAll(async () => {
    await plain?.close().catch(() => undefined)
    await server?.stop()
  })

  describe('connecting', () => {
    test.each([
      ['a wrong password', (url: URL) => (url.password = 'hunter2')],
      ['a virtual host that does not exist', (url: URL) => (url.pathname = '/nowhere')],
    ])('%s ends the attempts at once, and no secret is shown', async (_, change) => {
      const url = new URL(server.url)
      change(url)
      const error = await rabbitmq({ url: url.href }).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'POSTHORN_ACCESS_DENIED', retryable: false })
      expect(JSON.stringify(error) + String(error)).not.toContain('hunter2')
    })

    test('of several nodes one that can be reached is found', async () => {
      const transport = await open({
        url: undefined as never,
        urls: ['amqp://127.0.0.1:1', server.url, 'amqp://127.0.0.1:2'],
      })
      expect(transport.health().state).toBe('up')
    })
  })

  describe('delays', () => {
    test('come back never early, with the routing key that they had', async () => {
      const transport = await open()
      const topic = name('events')
      await transport.subscribe(topic, () => undefined, { group: 'ours', patterns: 'order.#' })
      const late = name('late')
      await channel.assertQueue(late, { exclusive: true })
      await channel.bindQueue(late, topic, 'order.*')
      const keys: string[] = []
      await channel.consume(late, (message) => void keys.push(message?.fields.routingKey ?? ''), {
        noAck: true,
      })
      const queue = name('orders')
      const early: number[] = []
      let arrived = 0
      await transport.consume(queue, ({ data }) => {
        arrived += 1
        const { due } = data as { readonly due: number }
        if (systemClock.now() < due) early.push(due - systemClock.now())
      })
      const delays = Array.from({ length: 200 }, (_, index) => 1 + index * 10)
      await Promise.all(
        delays.map((delayMs) =>
          transport.send(queue, { data: { due: systemClock.now() + delayMs }, delayMs }),
        ),
      )
      await transport.publish(topic, { data: 1, type: 'order.created', delayMs: 50 })
      await transport.publish(topic, { data: 1, type: 'payment.made', delayMs: 50 })
      await vi.waitFor(() => expect([arrived, keys]).toEqual([200, ['order.created']]), patience)
      expect(early).toEqual([])
    })

    test('for a queue that is deleted meanwhile are kept, and arrive when it is there again', async () => {
      const transport = await open()
      const [queue, other] = [name('orders'), name('orders')]
      await transport.declare({ queues: [{ name: queue }, { name: other }] })
      await transport.send(queue, { data: 'lost', id: 'order-1', delayMs: 300 })
      await channel.deleteQueue(queue)
      const lost = async (): Promise<number> => (await channel.checkQueue('posthorn:lost:')).messageCount
      await vi.waitFor(async () => expect(await lost()).toBe(1), patience)
      // Others are not held up by it.
      const seen: string[] = []
      await transport.consume(other, ({ id }) => void seen.push(id))
      await transport.send(other, { data: 1, id: 'order-2', delayMs: 50 })
      await vi.waitFor(() => expect(seen).toEqual(['order-2']), patience)
      const again = await open()
      await again.consume(queue, ({ id }) => void seen.push(id))
      await vi.waitFor(() => expect(seen).toEqual(['order-2', 'order-1']), patience)
      await vi.waitFor(async () => expect(await lost()).toBe(0), patience)
    })

    test('are made again when somebody has deleted their queues', async () => {
      const transport = await open()
      const queue = name('orders')
      const seen: unknown[] = []
      await transport.consume(queue, ({ data }) => void seen.push(data))
      await channel.deleteQueue('posthorn:delay:64')
      await transport.send(queue, { data: 'delayed', delayMs: 60 })
      await vi.waitFor(() => expect(seen).toEqual(['delayed']), patience)
    })
  })

  describe('programs without Posthorn', () => {
    test('share a classic queue that they declare, both ways', async () => {
      const queue = name('tasks')
      await channel.assertQueue(queue, { durable: true })
      const creating = await open()
      await creating.declare({ queues: [{ name: `${queue}.dlq` }] })
      const checking = await open({ topology: 'check' })
      const seen: unknown[] = []
      await checking.consume(
        queue,
        ({ data }, { attempt }) => {
          seen.push(data)
          if (attempt === 1) throw new Error('again')
        },
        { retryDelay: fixed(50) },
      )
      channel.sendToQueue(queue, Buffer.from('{"from":"them"}'), { persistent: true })
      await vi.waitFor(() => expect(seen).toEqual([{ from: 'them' }, { from: 'them' }]), patience)

      const theirs = name('tasks')
      await channel.assertQueue(theirs, { durable: true })
      await creating.declare({ queues: [{ name: `${theirs}.dlq` }] })
      await checking.send(theirs, { data: { from: 'us' }, type: 'task' })
      await vi.waitFor(async () => {
        const message = await channel.get(theirs, { noAck: true })
        expect(
          message && [message.content.toString(), message.properties.type, message.properties.contentType],
        ).toEqual(['{"from":"us"}', 'task', 'application/json'])
      }, patience)
    })

    test('can declare a queue that was made as theirs', async () => {
      const queue = name('tasks')
      const transport = await open({ queueType: 'classic' })
      await transport.send(queue, { data: 1 })
      await expect(channel.assertQueue(queue, { durable: true })).resolves.toMatchObject({ queue })
    })

    test('that reject what is ours fill its dead letters, and a pass reads them', async () => {
      const queue = name('orders')
      const transport = await open()
      await transport.send(queue, { data: 'bad', id: 'order-1' })
      const message = await channel.get(queue)
      if (message === false) throw new Error('It is not there.')
      channel.reject(message, false)
      const letters = transport.deadLetters(queue)
      await vi.waitFor(async () => expect(await letters.count()).toBe(1), patience)
      const { entries } = await letters.page()
      expect(entries).toMatchObject([{ id: 'order-1', reason: 'rejected' }])
      const seen: string[] = []
      await transport.consume(queue, ({ id, replays }) => void seen.push(`${id} ${replays}`))
      await letters.replay('all')
      await vi.waitFor(() => expect(seen).toEqual(['order-1 1']), patience)
    })

    test('meet no trace of an earlier way in what is retried', async () => {
      const queue = name('orders')
      const transport = await open()
      const attempts: number[] = []
      await transport.consume(
        queue,
        (_, { attempt }) => {
          attempts.push(attempt)
          throw new Error('again')
        },
        { retryDelay: fixed(40), maxAttempts: 4 },
      )
      channel.sendToQueue(queue, Buffer.from('1'), {
        messageId: 'm',
        headers: { tenant: 'a' },
        CC: [name('nobody')],
        expiration: '60000',
      })
      await vi.waitFor(async () => expect(await transport.deadLetters(queue).count()).toBe(1), patience)
      const letter = await channel.get(`${queue}.dlq`)
      expect(attempts).toEqual([1, 2, 3, 4])
      const { headers = {}, expiration } = (letter || undefined)?.properties ?? {}
      expect(
        Object.keys(headers as object).filter((header) => /^(x-(?!delivery-count)|CC|BCC)/.test(header)),
      ).toEqual([])
      expect([headers['tenant'], expiration]).toEqual(['a', undefined])
    })
  })

  test('a memory alarm blocks sends and nothing else, and they go on after it', async () => {
    const queue = name('orders')
    const transport = await open()
    await transport.send(queue, { data: 1 })
    await server.ctl('set_vm_memory_high_watermark', '0.00001')
    const sending = transport.send(queue, { data: 2 })
    await vi.waitFor(() => expect(transport.health().state).toBe('blocked'), patience)
    await expect(transport.depth(queue)).resolves.toMatchObject({ deadLettered: 0 })
    await server.ctl('set_vm_memory_high_watermark', '0.6')
    await sending
    await vi.waitFor(() => expect(transport.health().state).toBe('up'), patience)
  })

  test('cut after every n-th frame, what was confirmed is there and what was rejected is not', async () => {
    const queue = name('orders')
    await channel.assertQueue(queue, { durable: true })
    const proxy = await startTcpProxy({ target: server.url })
    const confirmed = new Set<string>()
    const rejected = new Set<string>()
    let unknown = 0
    for (const direction of ['toServer', 'toClient'] as const) {
      for (let frames = 1; frames <= 60; frames += 1) {
        // Anew each time: tries to connect again are further and further apart.
        const transport = await rabbitmq({ url: proxy.url, topology: 'none' })
        const sends = Array.from({ length: 20 }, async (_, index) => {
          const id = `${direction}-${frames}-${index}`
          try {
            await transport.send(queue, { data: index, id }, { timeoutMs: 2_000 })
            confirmed.add(id)
          } catch (error) {
            if (isPosthornError(error) && error.outcome === 'rejected') rejected.add(id)
            else unknown += 1
          }
        })
        proxy.cutAfterFrames(frames, direction)
        await Promise.all(sends)
        await proxy.heal()
        await transport.close({ deadlineMs: 1_000 })
      }
    }
    const there = new Set<string>()
    for (
      let message = await channel.get(queue, { noAck: true });
      message;
      message = await channel.get(queue, { noAck: true })
    ) {
      there.add(message.properties.messageId as string)
    }
    expect([...confirmed].filter((id) => !there.has(id))).toEqual([])
    expect([...rejected].filter((id) => there.has(id))).toEqual([])
    expect(confirmed.size + rejected.size + unknown).toBe(2 * 60 * 20)
    expect(confirmed.size).toBeGreaterThan(100)
    await proxy.close()
  }, 240_000)
})
