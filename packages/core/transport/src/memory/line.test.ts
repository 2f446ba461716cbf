import { describe, expect, test } from 'vitest'
import { createLab, message, messages, queue, settlement } from '../../test/memory-driver.ts'

describe('a queue', () => {
  test('hands out in the order in which messages came', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders')
    await client.send('orders', ...messages('a', 'b'))
    const reader = await client.consume(queue('orders'))
    await client.send('orders', ...messages('c'))
    await lab.turn()
    expect(reader.ids).toEqual(['a', 'b', 'c'])
  })

  test('hands out the very bytes and headers that were sent', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders')
    const sent = message('a', { body: Uint8Array.of(0, 255, 128), headers: { ключ: 'значение' } })
    await client.send('orders', sent)
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    expect(reader.delivery('a').message).toEqual(sent)
    expect(reader.delivery('a')).toMatchObject({ deliveries: 1, invalid: undefined })
  })

  test('hands out a higher priority first, and what has none as priority 4', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders')
    const sent = [4, 0, 9, undefined, 9, 5].map((priority, index) =>
      message(`${index}:${priority}`, { priority }),
    )
    await client.send('orders', ...sent)
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    expect(reader.ids).toEqual(['2:9', '4:9', '5:5', '0:4', '3:undefined', '1:0'])
  })

  test('gives no more than the window, and more as it frees', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders')
    await client.send('orders', ...messages('a', 'b', 'c', 'd', 'e'))
    const reader = await client.consume(queue('orders'), { window: 2 })
    await lab.turn()
    expect(reader.ids).toEqual(['a', 'b'])
    await reader.settle('b', 'ack')
    await lab.turn()
    expect(reader.ids).toEqual(['a', 'b', 'c'])
    reader.consumer.window(reader.scope, 0)
    await reader.settle('a', 'ack')
    await reader.settle('c', 'ack')
    await lab.turn()
    expect(reader.ids).toEqual(['a', 'b', 'c'])
    reader.consumer.window(reader.scope, 5)
    await lab.turn()
    expect(reader.ids).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  test('brings a batch as one batch, and what a batch frees as one', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders')
    await client.send('orders', ...messages('a', 'b', 'c', 'd', 'e', 'f'))
    const reader = await client.consume(queue('orders'), { window: 3 })
    await lab.turn()
    await reader.consumer.settle(
      reader.scope,
      reader.deliveries.map((delivery) => settlement(delivery, 'ack')),
    )
    await lab.turn()
    expect(reader.batches.map((batch) => batch.length)).toEqual([3, 3])
  })

  test('never calls a consumer from inside of a publish or a settle', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders')
    const reader = await client.consume(queue('orders'), { window: 1 })
    await lab.turn()
    const sending = client.send('orders', ...messages('a', 'b'))
    expect(reader.ids).toEqual([])
    await sending
    await lab.turn()
    const settling = reader.settle('a', 'ack')
    expect(reader.ids).toEqual(['a'])
    await settling
    await lab.turn()
    expect(reader.ids).toEqual(['a', 'b'])
  })

  test('goes on when a consumer settles inside of its delivery', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders')
    const ids = Array.from({ length: 5_000 }, (_, index) => `m${index}`)
    await client.send('orders', ...messages(...ids))
    const reader = await client.consume(queue('orders'), { window: 1, acks: true })
    await lab.turn()
    expect(reader.ids).toEqual(ids)
  })

  test('gives to competing consumers in turns', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders')
    const one = await client.consume(queue('orders'), { window: 10 })
    const two = await client.consume(queue('orders'), { window: 2 })
    const three = await (await lab.connect()).consume(queue('orders'), { window: 10 })
    await lab.turn()
    await client.send('orders', ...messages('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'))
    await lab.turn()
    expect([one.ids, two.ids, three.ids]).toEqual([
      ['a', 'd', 'g'],
      ['b', 'e'],
      ['c', 'f', 'h'],
    ])
  })

  test('goes on with the next consumer when messages come one by one', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders')
    const one = await client.consume(queue('orders'), { acks: true })
    const two = await client.consume(queue('orders'), { acks: true })
    for (const id of ['a', 'b', 'c', 'd']) {
      await client.send('orders', message(id))
      await lab.turn()
    }
    expect([one.ids, two.ids]).toEqual([
      ['a', 'c'],
      ['b', 'd'],
    ])
  })
})
