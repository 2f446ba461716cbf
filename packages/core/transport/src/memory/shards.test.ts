import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLab, message, queue } from '../../test/memory-driver.ts'
import type { Client, Lab, Reader } from '../../test/memory-driver.ts'

async function start(shards: number): Promise<{ lab: Lab; client: Client }> {
  const lab = createLab({ shards, lease: { scope: 'session' } })
  const client = await lab.connect()
  await client.declareQueue('orders')
  return { lab, client }
}

/** Scopes that it has now. */
const current = (reader: Reader): number =>
  reader.scopes.length - reader.revoked.length - reader.lostScopes.length

describe('shards', () => {
  test('all belong to the only consumer, and are spread evenly when others come', async () => {
    const { lab, client } = await start(6)
    const one = await client.consume(queue('orders'))
    await lab.turn()
    expect(current(one)).toBe(6)
    const two = await client.consume(queue('orders'))
    const three = await client.consume(queue('orders'))
    await lab.turn()
    expect([one, two, three].map(current)).toEqual([2, 2, 2])
    expect(one.revoked).toHaveLength(4)
    await two.consumer.close()
    await lab.turn()
    expect([one, three].map(current)).toEqual([3, 3])
    expect(three.revoked).toEqual([])
  })

  test('leave some consumers without when there are more', async () => {
    const { lab, client } = await start(1)
    const readers = [await client.consume(queue('orders')), await client.consume(queue('orders'))]
    await lab.turn()
    expect(readers.map((reader) => reader.scopes.length)).toEqual([1, 0])
    await readers[0]?.consumer.close()
    await lab.turn()
    expect(readers[1]?.scopes).toHaveLength(1)
  })

  test('keep a key in one shard, and turn messages without a key about', async () => {
    const { lab, client } = await start(4)
    const reader = await client.consume(queue('orders'), { acks: true })
    await client.send(
      'orders',
      ...Array.from({ length: 40 }, (_, index) => message(`${index}`, { key: `k${index % 5}` })),
    )
    await lab.turn()
    const scopesOf = (key: string): number =>
      new Set(
        reader.deliveries
          .filter((delivery) => delivery.message.key === key)
          .map((delivery) => delivery.scope),
      ).size
    expect(['k0', 'k1', 'k2', 'k3', 'k4'].map(scopesOf)).toEqual([1, 1, 1, 1, 1])
    const before = reader.batches.length
    await client.send('orders', ...Array.from({ length: 8 }, (_, index) => message(`free ${index}`)))
    await lab.turn()
    expect(reader.batches.slice(before).map((batch) => batch.length)).toEqual([2, 2, 2, 2])
  })

  test('have a window each', async () => {
    const { lab, client } = await start(2)
    const reader = await client.consume(queue('orders'), { window: 1 })
    await client.send('orders', message('a'), message('b'), message('c'), message('d'))
    await lab.turn()
    expect(reader.ids).toEqual(['a', 'b'])
    reader.consumer.window(reader.scopes[1] as never, 2)
    await lab.turn()
    expect(reader.ids).toEqual(['a', 'b', 'd'])
  })

  test('move only once their consumer has given them up, and hand out what it left', async () => {
    const { lab, client } = await start(2)
    const one = await client.consume(queue('orders'))
    await client.send('orders', message('a'), message('b'))
    await lab.turn()
    let giveUp = (): void => {}
    one.onRevoke = () => new Promise((resolve) => (giveUp = resolve))
    const two = await client.consume(queue('orders'))
    await lab.turn()
    expect([one.revoked.length, two.scopes.length]).toEqual([1, 0])
    const moved = one.deliveries.find((delivery) => delivery.scope === one.revoked[0])
    if (moved === undefined) throw new Error('The shard had nothing.')
    giveUp()
    await lab.turn()
    expect(two.delivery(moved.message.id).deliveries).toBe(2)
    expect(await one.settleDelivery(moved, 'ack')).toBe('lost')
  })

  test('of a dead connection go to others only, at once', async () => {
    const { lab, client } = await start(6)
    const dying = await lab.connect('dying')
    const dead = [await dying.consume(queue('orders')), await dying.consume(queue('orders'))]
    await lab.turn()
    const alive = await client.consume(queue('orders'))
    await lab.turn()
    const before = dead.map((reader) => reader.scopes.length)
    lab.broker.faults.crash('dying')
    await lab.turn()
    expect(current(alive)).toBe(6)
    expect(dead.map((reader) => reader.scopes.length)).toEqual(before)
  })

  test('come back to the same consumer when the broker takes one', async () => {
    const { lab, client } = await start(2)
    const reader = await client.consume(queue('orders'))
    await lab.turn()
    lab.broker.faults.dropLeases('orders')
    await lab.turn()
    expect([reader.lostScopes.length, reader.scopes.length]).toEqual([2, 4])
    lab.broker.faults.revoke('orders')
    await lab.turn()
    expect([reader.revoked.length, reader.scopes.length]).toEqual([2, 6])
  })

  test('show in the capabilities', async () => {
    const { client } = await start(3)
    expect(client.connection.capabilities.features.keyOrder.limits).toEqual({ shards: 3 })
  })

  test('lose nothing and are owned by one at a time, whoever comes and goes', async () => {
    const step = fc.oneof(
      fc.record({
        do: fc.constant('send' as const),
        keys: fc.array(fc.nat(6), { minLength: 1, maxLength: 5 }),
      }),
      fc.record({ do: fc.constant('join' as const) }),
      fc.record({ do: fc.constantFrom('leave' as const, 'crash' as const, 'ack' as const), which: fc.nat() }),
      fc.record({ do: fc.constant('turn' as const) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
        const { lab, client } = await start(5)
        const members: { readonly name: string; readonly reader: Reader }[] = []
        const acked = new Set<string>()
        let sent = 0
        const join = async (): Promise<void> => {
          const name = `member ${sent} ${members.length} ${lab.clock.random()}`
          members.push({
            name,
            reader: await (await lab.connect(name)).consume(queue('orders'), { window: 3 }),
          })
        }
        const ack = async (reader: Reader): Promise<void> => {
          for (const delivery of reader.deliveries) {
            if ((await reader.settleDelivery(delivery, 'ack')) === 'confirmed') {
              if (acked.has(delivery.message.id)) throw new Error(`${delivery.message.id} was acked twice`)
              acked.add(delivery.message.id)
            }
          }
        }
        for (const given of steps) {
          if (given.do === 'send')
            await client.send('orders', ...given.keys.map((key) => message(`${sent++}`, { key: `${key}` })))
          else if (given.do === 'join') await join()
          else if (given.do === 'turn') await lab.turn()
          else {
            const member = members[given.which % members.length]
            if (member === undefined) continue
            if (given.do === 'ack') await ack(member.reader)
            else {
              members.splice(members.indexOf(member), 1)
              if (given.do === 'leave') await member.reader.consumer.close()
              else lab.broker.faults.crash(member.name)
            }
          }
        }
        await join()
        for (let round = 0; acked.size < sent; round++) {
          expect(round, `${acked.size} of ${sent} came`).toBeLessThan(500)
          await lab.turn()
          for (const { reader } of members) await ack(reader)
        }
        await lab.turn()
        expect(members.map(({ reader }) => current(reader)).reduce((sum, count) => sum + count, 0)).toBe(5)
      }),
      { numRuns: 60 },
    )
  })
})
