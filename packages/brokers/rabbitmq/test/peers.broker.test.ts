import { describe, expect, test, vi } from 'vitest'
import { patience, version, withRabbitmq } from './with-rabbitmq.ts'
import type { Context, Message } from '@posthorn/transport'
import type { ConsumeMessage } from 'amqplib'

// Their side is amqplib alone.
describe(`programs with amqplib on RabbitMQ ${version}`, () => {
  const bench = withRabbitmq()

  const seenOf = (
    { id, type, data, time, correlationId, headers }: Message,
    { idempotencyKey }: Context,
  ): object => ({
    id,
    type,
    data,
    time,
    correlationId,
    headers: { ...headers },
    idempotencyKey,
  })

  test('what a producer sends is handled, with what its properties say', async () => {
    const transport = await bench.open()
    const queue = bench.name('orders')
    const seen: object[] = []
    await transport.consume(queue, (message, context) => void seen.push(seenOf(message, context)), {
      concurrency: 1,
    })
    bench.channel.sendToQueue(queue, Buffer.from('{"total":1}'), {
      persistent: true,
      messageId: 'order-1',
      type: 'order.created',
      correlationId: 'request-1',
      timestamp: 1_700_000_000,
      headers: { tenant: 'a', retries: 3, nested: { deep: [1] } },
    })
    bench.channel.sendToQueue(queue, Buffer.from('"bare"'))
    await vi.waitFor(() => expect(seen).toHaveLength(2), patience)
    expect(seen).toMatchObject([
      {
        id: 'order-1',
        type: 'order.created',
        data: { total: 1 },
        time: 1_700_000_000_000,
        correlationId: 'request-1',
        headers: { tenant: 'a', retries: '3', nested: '{"deep":[1]}' },
      },
      { type: queue, data: 'bare', idempotencyKey: undefined },
    ])
    expect(seen[0]).toHaveProperty('idempotencyKey', expect.stringContaining('order-1'))
  })

  test('a consumer with a prefetch of 1 and acks of its own gets plain JSON, with the rest in properties', async () => {
    const transport = await bench.open()
    const queue = bench.name('orders')
    await transport.declare({ queues: [{ name: queue }] })
    const seen: ConsumeMessage[] = []
    await bench.channel.prefetch(1)
    await bench.channel.consume(queue, (message) => {
      if (message === null) return
      seen.push(message)
      bench.channel.ack(message)
    })
    const time = 1_700_000_000_000
    const first = {
      id: 'order-1',
      type: 'order.created',
      time,
      correlationId: 'request-1',
      headers: { tenant: 'a' },
    }
    await transport.sendMany(queue, [
      { data: { total: 1 }, ...first },
      { data: { total: 2 }, delayMs: 40 },
    ])
    await vi.waitFor(() => expect(seen).toHaveLength(2), patience)
    expect(seen.map(({ content }) => content.toString())).toEqual(['{"total":1}', '{"total":2}'])
    expect(seen[0]?.properties).toMatchObject({
      messageId: 'order-1',
      type: 'order.created',
      contentType: 'application/json',
      deliveryMode: 2,
      timestamp: time / 1_000,
      correlationId: 'request-1',
      headers: { tenant: 'a' },
    })
    expect(await transport.depth(queue)).toMatchObject({ ready: 0 })
  })

  test('publish to a topic’s exchange, and bind queues of their own to it', async () => {
    const transport = await bench.open()
    const [topic, theirs] = [bench.name('events'), bench.name('audit')]
    const seen: unknown[] = []
    await transport.subscribe(
      topic,
      ({ type, routingKey, data }) => void seen.push([type, routingKey, data]),
      {
        group: 'billing',
        patterns: 'order.*',
      },
    )
    await bench.channel.assertQueue(theirs, { exclusive: true })
    await bench.channel.bindQueue(theirs, topic, 'order.#')
    bench.channel.publish(topic, 'order.created', Buffer.from('1'), { type: 'order.created' })
    bench.channel.publish(topic, 'payment.made', Buffer.from('2'))
    await vi.waitFor(() => expect(seen).toEqual([['order.created', 'order.created', 1]]), patience)
    await transport.publish(topic, { type: 'order.paid', data: 3 })
    const bodies: string[] = []
    await bench.channel.consume(theirs, (message) => void bodies.push(message?.content.toString() ?? ''), {
      noAck: true,
    })
    await vi.waitFor(() => expect(bodies).toEqual(['1', '3']), patience)
  })

  test('answer to an inbox by the reply address that they find', async () => {
    const transport = await bench.open()
    const queue = bench.name('prices')
    const answers: unknown[] = []
    const inbox = await transport.inbox(({ data, correlationId }) => void answers.push([data, correlationId]))
    await transport.declare({ queues: [{ name: queue }] })
    await bench.channel.consume(
      queue,
      (message) => {
        const { replyTo, correlationId } = message?.properties ?? {}
        bench.channel.sendToQueue(String(replyTo), Buffer.from('"42"'), {
          correlationId: String(correlationId),
        })
      },
      { noAck: true },
    )
    await transport.send(queue, { data: 'apples', replyTo: inbox.address, correlationId: 'request-1' })
    await vi.waitFor(() => expect(answers).toEqual([['42', 'request-1']]), patience)
    await inbox.close()
  })

  test('cannot declare a queue of ours as if it had no arguments: only their channel is closed, with 406', async () => {
    const transport = await bench.open()
    const queue = bench.name('orders')
    await transport.send(queue, { data: 1 })
    await expect(bench.channel.assertQueue(queue, { durable: true })).rejects.toThrow(
      /406.*PRECONDITION_FAILED/,
    )
    await transport.send(queue, { data: 2 })
    expect(await transport.depth(queue)).toMatchObject({ ready: 2 })
  })
})
