import { describe, expect, test } from 'vitest'
import { createLab, message, messages, queue, settlement } from '../../test/memory-driver.ts'
import type { Client, Lab } from '../../test/memory-driver.ts'
import type { DeadLetterDecision, DeadLetterEntry, DeadLetterPass } from '../contract/driver.ts'

/** A queue `orders` with these dead letters. */
async function start(...ids: readonly string[]): Promise<{ lab: Lab; client: Client }> {
  const lab = createLab()
  const client = await lab.connect('operator')
  await client.declareQueue('orders')
  await bury(lab, client, ...ids)
  return { lab, client }
}

async function bury(lab: Lab, client: Client, ...ids: readonly string[]): Promise<void> {
  await client.send('orders', ...messages(...ids))
  const reader = await client.consume(queue('orders'))
  await lab.turn()
  await reader.consumer.settle(
    reader.scope,
    reader.deliveries.map((delivery) => settlement(delivery, 'deadLetter')),
  )
  await reader.consumer.close()
}

const open = (client: Client, cursor?: string): Promise<DeadLetterPass> =>
  client.connection.openDeadLetters(queue('orders'), cursor)

const idsOf = (entries: readonly DeadLetterEntry[]): string[] => entries.map((entry) => entry.message.id)

const decide = (
  entry: DeadLetterEntry | undefined,
  decision: DeadLetterDecision['decision'],
): DeadLetterDecision => {
  if (entry === undefined) throw new Error('There is no such entry.')
  return { entry, decision, message: entry.message }
}

describe('a pass over dead letters', () => {
  test('reads up to what was there when it began, oldest first', async () => {
    const { lab, client } = await start('a', 'b', 'c')
    const pass = await open(client)
    expect(pass.total).toBe(3)
    expect(idsOf(await pass.read(2))).toEqual(['a', 'b'])
    await bury(lab, client, 'd')
    expect(idsOf(await pass.read(2))).toEqual(['c'])
    expect(idsOf(await pass.read(2))).toEqual([])
    expect(await pass.close()).toBeUndefined()
    expect(await client.connection.countDeadLetters(queue('orders'))).toBe(4)
  })

  test('keeps, discards and replays', async () => {
    const { lab, client } = await start('a', 'b', 'c')
    const pass = await open(client)
    const [a, b, c] = await pass.read(10)
    const replay = { ...decide(c, 'replay'), message: message('c', { replays: 1 }) }
    expect(await pass.decide([decide(a, 'keep'), decide(b, 'discard'), replay])).toEqual([
      'confirmed',
      'confirmed',
      'confirmed',
    ])
    await pass.close()
    const next = await open(client)
    const [kept, ...others] = await next.read(10)
    expect([kept?.entryId, kept?.message.id, others]).toEqual([a?.entryId, 'a', []])
    expect(kept?.record).toMatchObject({ reason: 'gave-up' })
    expect(lab.broker.raw.messages('orders')).toMatchObject([
      { state: 'ready', deliveries: 0, message: { id: 'c', replays: 1 } },
    ])
  })

  test('keeps what nobody decided on', async () => {
    const { client } = await start('a', 'b')
    const pass = await open(client)
    await pass.read(1)
    await pass.close()
    expect(await client.connection.countDeadLetters(queue('orders'))).toBe(2)
  })

  test('goes on where another one ended', async () => {
    const { client } = await start('a', 'b', 'c', 'd', 'e')
    const first = await open(client)
    const entries = await first.read(2)
    await first.decide([decide(entries[0], 'discard')])
    const cursor = await first.close()
    const second = await open(client, cursor)
    expect(second.total).toBe(3)
    expect(idsOf(await second.read(2))).toEqual(['c', 'd'])
    const last = await open(client, await second.close())
    expect(idsOf(await last.read(2))).toEqual(['e'])
    expect(await last.close()).toBeUndefined()
  })

  test('refuses a cursor that is none', async () => {
    const { client } = await start('a')
    await expect(open(client, 'elsewhere')).rejects.toMatchObject({ code: 'POSTHORN_INVALID_OPTION' })
    await (await open(client)).close()
  })

  test('is the only one, until it is closed', async () => {
    const { lab, client } = await start('a')
    const other = await lab.connect('other')
    const pass = await open(client)
    await expect(open(other)).rejects.toMatchObject({ code: 'POSTHORN_DEAD_LETTERS_BUSY', retryable: true })
    await pass.close()
    await pass.close()
    const next = await open(other)
    await expect(open(client)).rejects.toMatchObject({ code: 'POSTHORN_DEAD_LETTERS_BUSY' })
    await next.close()
    await expect(next.read(1)).rejects.toMatchObject({ code: 'POSTHORN_CLOSED' })
  })

  test('is lost with its connection', async () => {
    const { lab, client } = await start('a')
    const pass = await open(client)
    const [entry] = await pass.read(1)
    lab.broker.faults.crash('operator')
    await expect(pass.read(1)).rejects.toMatchObject({ code: 'POSTHORN_DEAD_LETTERS_LOST' })
    expect(await pass.decide([decide(entry, 'discard')])).toEqual(['lost'])
    const other = await open(await lab.connect())
    expect(idsOf(await other.read(1))).toEqual(['a'])
  })

  test('works beside one over another source', async () => {
    const { client } = await start('a')
    await client.declareQueue('others')
    await open(client)
    const other = await client.connection.openDeadLetters(queue('others'), undefined)
    expect([other.total, await other.read(1)]).toEqual([0, []])
  })

  test('cannot replay to a source that is gone', async () => {
    const { lab, client } = await start('a')
    const pass = await open(client)
    const [entry] = await pass.read(1)
    lab.broker.faults.loseDeclared('orders')
    expect(await pass.decide([decide(entry, 'replay')])).toMatchObject([
      { code: 'POSTHORN_TOPOLOGY_MISSING' },
    ])
    expect(lab.broker.raw.messages('orders.dlq')).toHaveLength(1)
  })

  test('decides on each entry once', async () => {
    const { client } = await start('a')
    const pass = await open(client)
    const [entry] = await pass.read(1)
    expect(await pass.decide([decide(entry, 'discard'), decide(entry, 'replay')])).toEqual([
      'confirmed',
      'lost',
    ])
  })
})

describe('a dead-letter queue', () => {
  test('can be consumed as any queue', async () => {
    const { lab, client } = await start('a', 'b')
    const reader = await client.consume(queue('orders.dlq'))
    await lab.turn()
    expect(reader.ids).toEqual(['a', 'b'])
    await reader.settle('a', 'ack')
    expect(await client.connection.countDeadLetters(queue('orders'))).toBe(1)
    expect(await reader.settle('b', 'deadLetter')).toBe('confirmed')
    expect(lab.broker.raw.messages('orders.dlq.dlq')).toMatchObject([{ message: { id: 'b' } }])
  })

  test('keeps the record and the entry of what is retried there', async () => {
    const { lab, client } = await start('a')
    const reader = await client.consume(queue('orders.dlq'))
    await lab.turn()
    await reader.settle('a', 'retry', { delayMs: 1_000 })
    const early = await open(client)
    expect(await early.read(10)).toEqual([])
    await early.close()
    reader.consumer.window(reader.scope, 0)
    await lab.clock.advance(1_000)
    const pass = await open(client)
    expect(await pass.read(10)).toMatchObject([{ message: { id: 'a' }, record: { reason: 'gave-up' } }])
  })

  test('gives to a pass what its consumers gave back', async () => {
    const { lab, client } = await start('a')
    const reader = await client.consume(queue('orders.dlq'))
    await lab.turn()
    expect(reader.ids).toEqual(['a'])
    await reader.consumer.close()
    const pass = await open(client)
    expect(idsOf(await pass.read(10))).toEqual(['a'])
  })

  test('does not give to a pass what a consumer holds', async () => {
    const { lab, client } = await start('a', 'b')
    const pass = await open(client)
    const entries = await pass.read(10)
    const reader = await client.consume(queue('orders.dlq'), { window: 1 })
    await lab.turn()
    expect(reader.ids).toEqual(['a'])
    expect(await pass.decide(entries.map((entry) => decide(entry, 'discard')))).toEqual(['lost', 'confirmed'])
    expect(await reader.settle('a', 'ack')).toBe('confirmed')
    expect(lab.broker.raw.messages('orders.dlq')).toEqual([])
  })

  test('can be discarded while its consumers order it by key', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders')
    await client.send('orders', ...['1', '2', '3', '4'].map((id) => message(id, { key: 'a' })))
    const burying = await client.consume(queue('orders'))
    await lab.turn()
    await burying.consumer.settle(
      burying.scope,
      burying.deliveries.map((delivery) => settlement(delivery, 'deadLetter')),
    )
    const one = await client.consume(queue('orders.dlq'), { order: 'key', window: 1 })
    const two = await client.consume(queue('orders.dlq'), { order: 'key' })
    await lab.turn()
    const pass = await open(client)
    const [second] = await pass.read(1)
    expect([one.ids, two.ids, second?.message.id]).toEqual([['1'], [], '2'])
    expect(await pass.decide([decide(second, 'discard')])).toEqual(['confirmed'])
    two.consumer.window(two.scope, 0)
    one.consumer.window(one.scope, 0)
    await one.settle('1', 'ack')
    await pass.close()
    const next = await open(client)
    const [third] = await next.read(1)
    expect(await next.decide([decide(third, 'discard')])).toEqual(['confirmed'])
    two.consumer.window(two.scope, 10)
    await lab.turn()
    expect(two.ids).toEqual(['4'])
  })
})
