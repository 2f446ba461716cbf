import { connect, type Channel, type ChannelModel, type ConsumeMessage } from 'amqplib'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { createBreaker } from '@posthorn/circuit-breaker'
import { retry } from '@posthorn/dlq-retry'
import { idempotency } from '@posthorn/idempotency'
import { createMetrics } from '@posthorn/metrics'
import { memoryStore } from '@posthorn/store/memory'
import { startTcpProxy, tryStartRabbitmq, type RabbitmqServer } from '@posthorn/test-brokers'
import { createVirtualClock } from '@posthorn/transport/testing'

const patience = { timeout: 20_000, interval: 20 }
let server: RabbitmqServer | undefined
let reason: string | undefined
const connections: ChannelModel[] = []

beforeAll(async () => {
  ;({ server, reason } = await tryStartRabbitmq({ version: '3.10' }))
}, 180_000)

afterEach(async () => {
  for (const connection of connections.splice(0)) await connection.close().catch(() => undefined)
})

afterAll(async () => server?.stop())

async function open(url: string): Promise<ChannelModel> {
  const connection = await connect(url)
  connection.on('error', () => undefined)
  connections.push(connection)
  return connection
}

/** A queue whose refused messages go to `<queue>.dead`. */
async function declare(channel: Channel, queue: string): Promise<void> {
  await channel.assertQueue(`${queue}.dead`)
  await channel.assertQueue(queue, { deadLetterExchange: '', deadLetterRoutingKey: `${queue}.dead` })
}

/** A plain consumer: what its handler resolves for is acked, and what it rejects for is dead-lettered. */
async function consume(
  channel: Channel,
  queue: string,
  handle: (message: ConsumeMessage) => Promise<unknown>,
): Promise<void> {
  await channel.prefetch(10)
  await channel.consume(queue, (message) => {
    if (message === null) return
    handle(message)
      .then(
        () => channel.ack(message),
        () => channel.nack(message, false, false),
      )
      // The channel is gone, and the message comes again.
      .catch(() => undefined)
  })
}

const left = async (channel: Channel, queue: string): Promise<readonly number[]> => {
  const counts = await Promise.all([queue, `${queue}.dead`].map(async (name) => channel.checkQueue(name)))
  return counts.map(({ messageCount }) => messageCount)
}

test('messages that come three times, and again after a lost connection, have their effect once', async (context) => {
  if (server === undefined) return context.skip(reason)
  const metrics = createMetrics()
  const once = idempotency({ store: memoryStore(), leaseMs: 1_000 })
  // Duplicates look again after their lease at the latest.
  const policy = retry({ maxAttempts: 100, backoff: 20 })
  const charged: string[] = []
  let hold = Promise.resolve()
  const handle = (message: ConsumeMessage): Promise<unknown> => {
    const { messageId } = message.properties as { readonly messageId: string }
    return metrics.run('charges', () =>
      policy.run(() =>
        once.run(`charges/${messageId}`, message.content, async () => {
          await hold
          charged.push(messageId)
        }),
      ),
    )
  }
  const publisher = await (await open(server.url)).createConfirmChannel()
  await declare(publisher, 'charges')
  const orders = Array.from({ length: 20 }, (_, index) => `order-${index}`)
  for (const messageId of [...orders, ...orders, ...orders])
    publisher.sendToQueue('charges', Buffer.from(messageId), { messageId, persistent: true })
  await publisher.waitForConfirms()

  let release = (): void => undefined
  hold = new Promise<void>((resolve) => (release = resolve))
  const proxy = await startTcpProxy({ target: server.url })
  const dying = await open(proxy.url)
  const surviving = await (await open(server.url)).createChannel()
  await consume(await dying.createChannel(), 'charges', handle)
  // Ten are under way there, none of them done.
  await vi.waitFor(() => expect(metrics.getStats().inFlight).toBe(10), patience)
  const lost = new Promise((resolve) => dying.on('close', resolve))
  await proxy.close()
  await lost
  await consume(surviving, 'charges', handle)
  await vi.waitFor(() => expect(metrics.getStats().inFlight).toBe(20), patience)
  release()

  await vi.waitFor(async () => {
    expect(await left(publisher, 'charges')).toEqual([0, 0])
    expect(metrics.getStats()).toMatchObject({ handled: 3 * orders.length + 10, inFlight: 0 })
  }, patience)
  expect(charged.toSorted()).toEqual(orders.toSorted())
})

test('a message is tried on the schedule while it is held, and dead-lettered when the policy gives up', async (context) => {
  if (server === undefined) return context.skip(reason)
  const clock = createVirtualClock()
  const metrics = createMetrics({ clock })
  const policy = retry({ maxAttempts: 3, backoff: [1_000, 5_000], jitter: 'none', clock })
  const begunAt = clock.now()
  const tries: [string, number][] = []
  const handle = ({ content }: ConsumeMessage): Promise<unknown> =>
    policy.run(({ attempt }) =>
      metrics.run('mails', () => {
        tries.push([String(content), clock.now() - begunAt])
        if (String(content) === 'lost' || attempt < 3) throw new Error('421 try again later')
      }),
    )
  const channel = await (await open(server.url)).createConfirmChannel()
  await declare(channel, 'mails')
  await consume(channel, 'mails', handle)
  for (const text of ['late', 'lost']) channel.sendToQueue('mails', Buffer.from(text))
  for (const [waitMs, count] of [
    [0, 2],
    [999, 2],
    [1, 4],
    [4_999, 4],
    [1, 6],
  ] as const) {
    await clock.advance(waitMs)
    await vi.waitFor(() => expect(tries).toHaveLength(count), patience)
  }
  const times = (text: string): number[] => tries.filter(([one]) => one === text).map(([, time]) => time)
  expect([times('late'), times('lost')]).toEqual([
    [0, 1_000, 6_000],
    [0, 1_000, 6_000],
  ])
  await vi.waitFor(async () => expect(await left(channel, 'mails')).toEqual([0, 1]), patience)
  const dead = await channel.get('mails.dead', { noAck: true })
  expect(dead !== false && String(dead.content)).toBe('lost')
  expect(metrics.getStats()).toMatchObject({ received: 6, failed: 5, handled: 1 })
})

test('while the breaker is open messages are kept, and none is dead-lettered; they are handled when it has closed', async (context) => {
  if (server === undefined) return context.skip(reason)
  const clock = createVirtualClock()
  const metrics = createMetrics({ clock })
  const bank = createBreaker({ name: 'bank', minimumCalls: 3, resetMs: 60_000, jitter: 'none', clock })
  metrics.watchBreaker(bank)
  // A refusal says when to come again, and is not to use up the attempts.
  const policy = retry({
    maxAttempts: 2,
    backoff: 1_000,
    jitter: 'none',
    when: [{ codes: 'POSTHORN_CIRCUIT_OPEN', maxAttempts: 1_000 }],
    clock,
  })
  let isDown = true
  const charged: string[] = []
  const handle = ({ content }: ConsumeMessage): Promise<unknown> =>
    metrics.run('payments', () =>
      policy.run(() =>
        bank.execute(() => {
          if (isDown) throw new Error('503')
          charged.push(String(content))
        }),
      ),
    )
  const channel = await (await open(server.url)).createConfirmChannel()
  await declare(channel, 'payments')
  await consume(channel, 'payments', handle)
  const orders = Array.from({ length: 10 }, (_, index) => `order-${index}`)
  for (const order of orders.slice(0, 3)) channel.sendToQueue('payments', Buffer.from(order))
  await vi.waitFor(() => expect(bank.state).toBe('open'), patience)
  for (const order of orders.slice(3)) channel.sendToQueue('payments', Buffer.from(order))
  await vi.waitFor(() => expect(bank.counts()).toMatchObject({ failed: 3, rejected: 7 }), patience)
  // The three that failed come again meanwhile, and are refused as well.
  await clock.advance(59_000)
  expect(bank.counts()).toMatchObject({ failed: 3, rejected: 10, opened: 1 })
  expect([await left(channel, 'payments'), charged]).toEqual([[0, 0], []])
  expect(metrics.getStats()).toMatchObject({ inFlight: 10, failed: 0 })
  isDown = false
  await clock.advance(120_000)
  await vi.waitFor(() => expect(charged.toSorted()).toEqual(orders), patience)
  await channel.close()
  // Nothing comes back: all were acked.
  const observer = await (await open(server.url)).createChannel()
  expect(await left(observer, 'payments')).toEqual([0, 0])
  expect(metrics.getStats()).toMatchObject({ handled: 10, failed: 0, inFlight: 0 })
  expect(bank.counts()).toMatchObject({ succeeded: 10, failed: 3 })
})
