import { fixed } from '@posthorn/transport'
import { systemClock } from '@posthorn/transport/driver'
import { describe, expect, test, vi } from 'vitest'
import { patience, version, withRabbitmq } from './with-rabbitmq.ts'

describe(`RabbitMQ ${version}`, () => {
  const bench = withRabbitmq()
  const { name, open } = bench

  describe('delays', () => {
    test('come back never early, with the routing key that they had', async () => {
      const transport = await open()
      const topic = name('events')
      await transport.subscribe(topic, () => undefined, { group: 'ours', patterns: 'order.#' })
      const late = name('late')
      await bench.channel.assertQueue(late, { exclusive: true })
      await bench.channel.bindQueue(late, topic, 'order.*')
      const keys: string[] = []
      await bench.channel.consume(late, (message) => void keys.push(message?.fields.routingKey ?? ''), {
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
      await bench.channel.deleteQueue(queue)
      const lost = async (): Promise<number> =>
        (await bench.channel.checkQueue('posthorn:lost:')).messageCount
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
      await bench.channel.deleteQueue('posthorn:delay:64')
      await transport.send(queue, { data: 'delayed', delayMs: 60 })
      await vi.waitFor(() => expect(seen).toEqual(['delayed']), patience)
    })
  })

  describe('programs without Posthorn', () => {
    test('share a classic queue that they declare, both ways', async () => {
      const queue = name('tasks')
      await bench.channel.assertQueue(queue, { durable: true })
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
      bench.channel.sendToQueue(queue, Buffer.from('{"from":"them"}'), { persistent: true })
      await vi.waitFor(() => expect(seen).toEqual([{ from: 'them' }, { from: 'them' }]), patience)

      const theirs = name('tasks')
      await bench.channel.assertQueue(theirs, { durable: true })
      await creating.declare({ queues: [{ name: `${theirs}.dlq` }] })
      await checking.send(theirs, { data: { from: 'us' }, type: 'task' })
      await vi.waitFor(async () => {
        const message = await bench.channel.get(theirs, { noAck: true })
        expect(
          message && [message.content.toString(), message.properties.type, message.properties.contentType],
        ).toEqual(['{"from":"us"}', 'task', 'application/json'])
      }, patience)
    })

    test('can declare a queue that was made as theirs', async () => {
      const queue = name('tasks')
      const transport = await open({ queueType: 'classic' })
      await transport.send(queue, { data: 1 })
      await expect(bench.channel.assertQueue(queue, { durable: true })).resolves.toMatchObject({ queue })
    })

    test('that reject what is ours fill its dead letters, and a pass reads them', async () => {
      const queue = name('orders')
      const transport = await open()
      await transport.send(queue, { data: 'bad', id: 'order-1' })
      const message = await bench.channel.get(queue)
      if (message === false) throw new Error('It is not there.')
      bench.channel.reject(message, false)
      const letters = transport.deadLetters(queue)
      await vi.waitFor(async () => expect(await letters.count()).toBe(1), patience)
      const { entries } = await letters.page()
      expect(entries).toMatchObject([{ id: 'order-1', reason: 'rejected' }])
      const seen: string[] = []
      await transport.consume(queue, ({ id, replays }) => void seen.push(`${id} ${replays}`))
      await letters.replay('all')
      await vi.waitFor(() => expect(seen).toEqual(['order-1 1']), patience)
    })
  })
})
