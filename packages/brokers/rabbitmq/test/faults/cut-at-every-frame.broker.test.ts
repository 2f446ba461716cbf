import { fixed, type Transport } from '@posthorn/transport'
import { eagerClock, expectEmpty, expectKept, expectUp, untilDone, Witness } from '@posthorn/test-faults'
import { describe, expect, test } from 'vitest'
import { version, withRabbitmq } from '../with-rabbitmq.ts'
import { forEachCut, type Cut } from './for-each-cut.ts'

/** Sends of a try are few; a cut that has not come after so many rounds of them does not come. */
const maxRounds = 100

describe(`RabbitMQ ${version}, cut after every n-th frame`, () => {
  const bench = withRabbitmq()

  /** Through the proxy of the cut; whoever opens it closes it. */
  const open = (cut: Cut): Promise<Transport> =>
    bench.open({ url: cut.proxy.url, clock: eagerClock, sendTimeoutMs: 10_000 })

  test('while it connects and declares, all is there in the end', { timeout: 120_000 }, async () => {
    let cuts = 0
    await forEachCut(bench.server.url, async (cut) => {
      const [queue, topic] = [`orders-${cut.name}`, `events-${cut.name}`]
      const patterns = Array.from({ length: 30 }, (_, index) => `order.${index}`)
      const pending = cut.arm()
      const transport = await open(cut)
      await untilDone(() =>
        transport.declare({
          queues: [{ name: queue }],
          topics: [{ name: topic }],
          subscriptions: [{ topic, group: 'billing', patterns }],
        }),
      )
      if (pending.happened) cuts += 1
      await cut.proxy.heal()
      const witness = new Witness()
      await transport.consume(queue, witness.handle)
      await transport.subscribe(topic, witness.handle, { group: 'billing', patterns })
      await Promise.all([
        witness.send(transport, queue, { id: 'order', data: 1 }),
        witness.send(transport, queue, { id: 'late-order', data: 1, delayMs: 1 }),
        witness.publish(transport, topic, { id: 'first-event', data: 1, type: 'order.0' }),
        witness.publish(transport, topic, { id: 'last-event', data: 1, type: 'order.29' }),
      ])
      expect(witness.errors).toEqual([])
      await expectKept(witness)
      await expectUp(transport)
      await transport.close()
      for (const name of [queue, `${topic}/billing`]) {
        await bench.channel.deleteQueue(name)
        await bench.channel.deleteQueue(`${name}.dlq`)
      }
    })
    expect(cuts).toBeGreaterThan(90)
  })

  test('while it publishes, outcomes are true', { timeout: 120_000 }, async () => {
    const witness = new Witness()
    const direct = await bench.open()
    const [queue, topic] = [bench.name('orders'), bench.name('events')]
    await direct.consume(queue, witness.handle, { concurrency: 100 })
    await direct.subscribe(topic, witness.handle, { group: 'billing', concurrency: 100 })
    await forEachCut(bench.server.url, async (cut) => {
      const transport = await open(cut)
      const pending = cut.arm()
      for (let round = 1; round <= maxRounds && !pending.happened; round += 1) {
        const id = (kind: string): string => `${kind}-${cut.name}-${round}`
        await Promise.all([
          ...Array.from({ length: 5 }, (_, index) =>
            witness.send(transport, queue, { id: id(`order${index}`), data: index }),
          ),
          witness.send(transport, queue, { id: id('late'), data: 1, delayMs: 1 }),
          witness.publish(transport, topic, { id: id('event'), data: 1, type: 'order.created' }),
        ])
      }
      expect(pending.happened).toBe(true)
      await untilDone(() => transport.send(queue, { id: `last-${cut.name}`, data: 1 }))
      await expectUp(transport)
      await transport.close()
    })
    await expectKept(witness)
    await Promise.all([expectEmpty(direct, queue), expectEmpty(direct, `${topic}/billing`)])
    expect(witness.untrue).toEqual([])
  })

  test('while it consumes, all is handled', { timeout: 120_000 }, async () => {
    const direct = await bench.open()
    await forEachCut(bench.server.url, async (cut) => {
      const witness = new Witness()
      const queue = `orders-of-lane-${cut.lane}`
      const send = (round: number, count: number): Promise<unknown> =>
        Promise.all(
          Array.from({ length: count }, (_, index) =>
            witness.send(direct, queue, { id: `${cut.name}-${round}-${index}`, data: index }),
          ),
        )
      await send(0, 20)
      const transport = await open(cut)
      const pending = cut.arm()
      await transport.consume(queue, witness.handle, { concurrency: 5 })
      await expectKept(witness)
      for (let round = 1; round <= maxRounds && !pending.happened; round += 1) {
        await send(round, 2)
        await expectKept(witness)
      }
      expect(pending.happened).toBe(true)
      await expectUp(transport)
      await expectEmpty(direct, queue)
      await transport.close()
    })
  })

  test('while it settles, nothing is lost and all is settled in the end', { timeout: 120_000 }, async () => {
    const direct = await bench.open()
    await forEachCut(bench.server.url, async (cut) => {
      const witness = new Witness()
      const queue = `settled-by-lane-${cut.lane}`
      const retried = new Set<string>()
      const released = new Set<string>()
      const transport = await open(cut)
      await transport.consume(
        queue,
        (message, context) => {
          if (message.data === 'retry' && context.attempt === 1) throw new Error('again')
          if (message.data === 'retry') retried.add(message.id)
          if (message.data === 'release' && !released.has(message.id)) {
            released.add(message.id)
            return context.release({ delayMs: 1 })
          }
          witness.handle(message)
          return message.data === 'dead' ? context.deadLetter({ reason: 'bad' }) : undefined
        },
        { concurrency: 8, retryDelay: fixed(1) },
      )
      const pending = cut.arm()
      for (let round = 1; round <= maxRounds && !pending.happened; round += 1) {
        await Promise.all(
          ['ack', 'retry', 'release', 'dead'].map((data) =>
            witness.send(direct, queue, { id: `${data}-${cut.name}-${round}`, data }),
          ),
        )
        await expectKept(witness)
      }
      expect(pending.happened).toBe(true)
      await expectUp(transport)
      await expectEmpty(direct, queue)
      await transport.close()
      const of = (data: string): string[] => [...witness.confirmed].filter((id) => id.startsWith(`${data}-`))
      expect(of('retry').filter((id) => !retried.has(id))).toEqual([])
      const dead = await takeAll(`${queue}.dlq`)
      expect(of('dead').filter((id) => !dead.has(id))).toEqual([])
      expect(dead.size).toBe(of('dead').length)
    })
  })

  async function takeAll(queue: string): Promise<Set<unknown>> {
    const ids = new Set<unknown>()
    for (;;) {
      const message = await bench.channel.get(queue, { noAck: true })
      if (message === false) return ids
      ids.add(message.properties.messageId)
    }
  }
})
