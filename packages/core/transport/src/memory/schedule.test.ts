import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLab, message, queue } from '../../test/memory-driver.ts'

const dayMs = 86_400_000

describe('delays', () => {
  test('hand out nothing before its time, and each thing at it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(2_000), { minLength: 1, maxLength: 30 }), async (delays) => {
        const lab = createLab()
        const client = await lab.connect()
        await client.declareQueue('orders')
        const startedAt = lab.clock.now()
        const arrivals: number[] = []
        const reader = await client.consume(queue('orders'), { acks: true })
        reader.onDeliver = (deliveries) => {
          for (const {
            message: { id },
          } of deliveries)
            arrivals[Number(id)] = lab.clock.now() - startedAt
        }
        const sent = delays.map((delayMs, index) => message(`${index}`, { notBefore: startedAt + delayMs }))
        await client.send('orders', ...sent)
        await lab.clock.advance(2_000)
        expect(arrivals).toEqual(delays)
      }),
      { numRuns: 30 },
    )
  })

  test('of three days take no time to test', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders')
    const reader = await client.consume(queue('orders'), { acks: true })
    await client.send('orders', message('later', { notBefore: lab.clock.now() + 3 * dayMs }), message('now'))
    await lab.clock.advance(3 * dayMs - 1)
    expect(reader.ids).toEqual(['now'])
    await lab.clock.advance(1)
    expect(reader.ids).toEqual(['now', 'later'])
  })

  test('take one timer, whatever their number', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders')
    for (let index = 100; index > 0; index--) {
      await client.send('orders', message(`${index}`, { notBefore: lab.clock.now() + index * 1_000 }))
    }
    expect(lab.clock.pending).toBe(1)
    expect(await client.connection.depth(queue('orders'))).toMatchObject({ ready: 0, delayed: 100 })
  })

  test('rest while nobody is connected, and lose nothing', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders')
    await client.send('orders', message('a', { notBefore: lab.clock.now() + 1_000 }))
    await client.connection.close()
    expect(lab.clock.pending).toBe(0)
    await lab.clock.advance(5_000)
    const reader = await (await lab.connect()).consume(queue('orders'))
    await lab.clock.advance(1)
    expect(reader.ids).toEqual(['a'])
  })

  test('put what is due behind what is there, and what was handed out before in its old place', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders')
    await client.send('orders', message('retried'))
    const reader = await client.consume(queue('orders'), { window: 1 })
    await lab.turn()
    reader.consumer.window(reader.scope, 0)
    await client.send('orders', message('delayed', { notBefore: lab.clock.now() + 1_000 }), message('plain'))
    await reader.settle('retried', 'retry', { delayMs: 1_000 })
    await lab.clock.advance(1_000)
    reader.consumer.window(reader.scope, 10)
    await lab.turn()
    expect(reader.ids).toEqual(['retried', 'retried', 'plain', 'delayed'])
  })

  test('of a queue that is deleted end with it', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders')
    await client.declareQueue('others')
    await client.send('orders', message('a', { notBefore: lab.clock.now() + 1_000 }))
    await client.send('others', message('b', { notBefore: lab.clock.now() + 2_000 }))
    lab.broker.faults.loseDeclared('others')
    lab.broker.faults.loseDeclared('orders')
    expect(lab.clock.pending).toBe(0)
    await client.declareQueue('others')
    await client.send('others', message('b', { notBefore: lab.clock.now() + 2_000 }))
    await client.declareQueue('orders')
    const reader = await client.consume(queue('orders'))
    const other = await client.consume(queue('others'))
    await lab.clock.advance(2_000)
    expect([reader.ids, other.ids]).toEqual([[], ['b']])
  })
})
