import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Backlog } from './backlog.ts'
import { KeyLanes } from './key-lanes.ts'
import { createLab, message, queue, settlement } from '../../test/memory-driver.ts'
import type { Entry } from './entry.ts'
import type { Line } from './line.ts'
import type { Session } from './session.ts'
import type { Client, Lab, Reader } from '../../test/memory-driver.ts'
import type { Delivery } from '../contract/driver.ts'
import type { WireMessage } from '../contract/wire-message.ts'

/** `a1` is of the key `a`. */
const keyed = (...ids: readonly string[]): WireMessage[] =>
  ids.map((id) => message(id, { key: id.slice(0, 1) }))

async function start(...ids: readonly string[]): Promise<{ lab: Lab; client: Client }> {
  const lab = createLab()
  const client = await lab.connect()
  await client.declareQueue('orders')
  await client.send('orders', ...keyed(...ids))
  return { lab, client }
}

describe('order by key', () => {
  test('gives a busy key to the consumer that has it, or to nobody', async () => {
    const { lab, client } = await start('a1', 'a2', 'b1', 'a3', 'b2')
    const one = await client.consume(queue('orders'), { order: 'key', window: 1 })
    const two = await client.consume(queue('orders'), { order: 'key', window: 10 })
    await lab.turn()
    expect([one.ids, two.ids]).toEqual([['a1'], ['b1', 'b2']])
    one.consumer.window(one.scope, 0)
    await one.settle('a1', 'ack')
    await lab.turn()
    expect([one.ids, two.ids]).toEqual([['a1'], ['b1', 'b2', 'a2', 'a3']])
  })

  test('keeps a key with its consumer while any of it is unsettled', async () => {
    const { lab, client } = await start('a1', 'a2', 'a3', 'a4')
    const one = await client.consume(queue('orders'), { order: 'key', window: 2 })
    const two = await client.consume(queue('orders'), { order: 'key', window: 10 })
    await lab.turn()
    expect([one.ids, two.ids]).toEqual([['a1', 'a2'], []])
    await one.settle('a1', 'ack')
    await lab.turn()
    expect([one.ids, two.ids]).toEqual([['a1', 'a2', 'a3'], []])
  })

  test('knows the keys that the only consumer has when another one comes', async () => {
    const { lab, client } = await start('a1', 'a2', 'b1')
    const one = await client.consume(queue('orders'), { order: 'key', window: 1 })
    await lab.turn()
    const two = await client.consume(queue('orders'), { order: 'key', window: 10 })
    await lab.turn()
    expect([one.ids, two.ids]).toEqual([['a1'], ['b1']])
  })

  test('hands a key on in order when its consumer goes', async () => {
    const { lab, client } = await start('a1', 'a2', 'a3', 'b1')
    const one = await (await lab.connect('one')).consume(queue('orders'), { order: 'key', window: 2 })
    const two = await client.consume(queue('orders'), { order: 'key', window: 10 })
    await lab.turn()
    expect([one.ids, two.ids]).toEqual([['a1', 'a2'], ['b1']])
    lab.broker.faults.crash('one')
    await lab.turn()
    expect(two.ids).toEqual(['b1', 'a1', 'a2', 'a3'])
  })

  test('lets messages of a key pass while one of it waits for its retry', async () => {
    const { lab, client } = await start('a1', 'a2')
    const one = await client.consume(queue('orders'), { order: 'key', window: 1 })
    await client.consume(queue('orders'), { order: 'key', window: 0 })
    await lab.turn()
    await one.settle('a1', 'retry', { delayMs: 1_000 })
    await lab.turn()
    expect(one.ids).toEqual(['a1', 'a2'])
    await one.settle('a2', 'ack')
    await lab.clock.advance(1_000)
    expect(one.ids).toEqual(['a1', 'a2', 'a1'])
  })

  test('does not bind a consumer that asks for none', async () => {
    const { lab, client } = await start('a1', 'a2', 'a3')
    const one = await client.consume(queue('orders'), { order: 'key', window: 1 })
    const two = await client.consume(queue('orders'), { order: 'key', window: 10 })
    await lab.turn()
    const any = await client.consume(queue('orders'), { window: 10 })
    await lab.turn()
    expect([one.ids, two.ids, any.ids]).toEqual([['a1'], [], ['a2', 'a3']])
  })

  test('goes on with a free key of which somebody without order took one', async () => {
    const { lab, client } = await start('a1', 'a2', 'a3', 'a4')
    const one = await client.consume(queue('orders'), { order: 'key', window: 1 })
    const two = await client.consume(queue('orders'), { order: 'key', window: 10 })
    await lab.turn()
    for (const reader of [one, two]) reader.consumer.window(reader.scope, 0)
    await one.settle('a1', 'ack')
    const any = await client.consume(queue('orders'), { window: 1 })
    await lab.turn()
    two.consumer.window(two.scope, 10)
    await lab.turn()
    expect([any.ids, two.ids]).toEqual([['a2'], ['a3', 'a4']])
  })

  test('gives a key in order when newer messages of it come before those parked', async () => {
    const lab = createLab()
    const client = await lab.connect()
    await client.declareQueue('orders')
    await client.send('orders', ...keyed('a1', 'b1'))
    const one = await client.consume(queue('orders'), { order: 'key', window: 2 })
    await lab.turn()
    const two = await client.consume(queue('orders'), { order: 'key', window: 10 })
    const urgent = (id: string): WireMessage => message(id, { key: 'b', priority: 9 })
    await client.send('orders', ...keyed('a2'))
    await lab.turn()
    await client.send('orders', urgent('b2'))
    await lab.turn()
    two.consumer.window(two.scope, 0)
    one.consumer.window(one.scope, 10)
    await client.send('orders', urgent('b3'))
    await lab.turn()
    expect(one.ids).toEqual(['a1', 'b1', 'b2', 'b3', 'a2'])
  })

  test('looks at a backlog of a busy key once, not at each hand-out', async () => {
    const { lab, client } = await start('a0')
    const one = await client.consume(queue('orders'), { order: 'key', window: 1 })
    await lab.turn()
    for (let batch = 0; batch < 30; batch++) {
      await client.send(
        'orders',
        ...Array.from({ length: 1_000 }, (_, index) => message(`${batch}-${index}`, { key: 'a' })),
      )
    }
    await client.send('orders', ...keyed('b1'))
    const two = await client.consume(queue('orders'), { order: 'key', window: 10 })
    await lab.turn()
    expect([one.ids, two.ids]).toEqual([['a0'], ['b1']])
    one.consumer.window(one.scope, 0)
    await one.settle('a0', 'ack')
    await lab.turn()
    expect(two.ids.slice(0, 4)).toEqual(['b1', '0-0', '0-1', '0-2'])
    expect(await client.connection.depth(queue('orders'))).toMatchObject({ inFlight: 10, ready: 29_991 })
  })

  test('is refused where there is none', async () => {
    const lab = createLab({ keyOrder: false })
    const client = await lab.connect()
    await client.declareQueue('orders')
    await expect(client.consume(queue('orders'), { order: 'key' })).rejects.toMatchObject({
      code: 'POSTHORN_UNSUPPORTED',
    })
    expect(client.connection.capabilities.features.holdKey.level).toBe('unsupported')
  })
})

describe('KeyLanes', () => {
  test('keep nothing of a key that is done', () => {
    const line = {} as Line
    const backlog = new Backlog(line, true)
    const lanes = new KeyLanes(backlog)
    const [one, two] = [{ lanes: new Set() }, { lanes: new Set() }] as unknown as [Session, Session]
    for (const added of keyed('a1', 'a2', 'a3')) backlog.push(added)
    const first = lanes.admit(backlog.take() as Entry, one) as Entry
    expect(lanes.admit(backlog.take() as Entry, two)).toBeUndefined()
    expect(lanes.admit(backlog.take() as Entry, two)).toBeUndefined()
    expect([lanes.size, lanes.parked, one.lanes.size]).toEqual([1, 2, 1])
    lanes.leave(first)
    const second = lanes.admit(backlog.take() as Entry, two) as Entry
    const third = lanes.takeOwn(two) as Entry
    expect([second, third].map((entry) => entry.message.id)).toEqual(['a2', 'a3'])
    lanes.leave(second)
    lanes.leave(third)
    expect([lanes.size, lanes.parked, one.lanes.size, two.lanes.size]).toEqual([0, 0, 0, 0])
  })

  test('keep nothing of a key of which the last one is parked and taken by somebody without order', () => {
    const backlog = new Backlog({} as Line, true)
    const lanes = new KeyLanes(backlog)
    const [one, two] = [{ lanes: new Set() }, { lanes: new Set() }] as unknown as [Session, Session]
    for (const added of keyed('a1', 'a2', 'a3')) backlog.push(added)
    const first = lanes.admit(backlog.take() as Entry, one) as Entry
    for (let entry = backlog.take(); entry !== undefined; entry = backlog.take()) lanes.admit(entry, two)
    lanes.leave(first)
    expect([backlog.size, lanes.takeAny()?.message.id, lanes.size]).toEqual([1, 'a3', 0])
  })
})

type Step =
  | { readonly do: 'send'; readonly keys: readonly number[]; readonly priority: number }
  | { readonly do: 'join'; readonly order: 'none' | 'key'; readonly window: number }
  | { readonly do: 'leave' | 'crash' | 'resize'; readonly which: number; readonly window: number }
  | {
      readonly do: 'settle'
      readonly which: number
      readonly verb: 'ack' | 'release' | 'retry' | 'deadLetter'
      readonly delayMs: number
    }
  | { readonly do: 'turn'; readonly ms: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      keys: fc.array(fc.nat(4), { minLength: 1, maxLength: 6 }),
      priority: fc.constantFrom(4, 4, 4, 9),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('join' as const),
      order: fc.constantFrom('key' as const, 'key' as const, 'none' as const),
      window: fc.nat(4),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('leave' as const, 'crash' as const, 'resize' as const),
      which: fc.nat(),
      window: fc.nat(4),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('settle' as const),
      which: fc.nat(),
      verb: fc.constantFrom(
        'ack' as const,
        'ack' as const,
        'release' as const,
        'retry' as const,
        'deadLetter' as const,
      ),
      delayMs: fc.constantFrom(0, 5),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('turn' as const), ms: fc.constantFrom(0, 0, 3) }) },
)

interface Member {
  readonly name: string
  readonly reader: Reader
  readonly order: 'none' | 'key'
  /** Its largest window so far. */
  most: number
}

/** Follows what happens to each message, and complains about what must not. */
class Ledger {
  readonly members: Member[] = []
  readonly settled = new Set<string>()
  /** Messages that waited by themselves, so that others of their key passed. */
  private readonly passed = new Set<string>()
  private readonly holders = new Map<
    string,
    { readonly member: Member; readonly delivery: Delivery; readonly order: number }
  >()
  private readonly sent: WireMessage[] = []
  private arrived: { readonly member: Member; readonly delivery: Delivery }[] = []
  private order = 0

  send(keys: readonly number[], priority: number): WireMessage[] {
    const batch = keys.map((key, index) =>
      // Key 0 stands for none.
      message(`${this.sent.length + index}`, { key: key === 0 ? undefined : `k${key}`, priority }),
    )
    this.sent.push(...batch)
    return batch
  }

  delivered(member: Member, deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) this.arrived.push({ member, delivery })
  }

  /** Looks at all that one turn has handed out. */
  check(): void {
    const { arrived } = this
    this.arrived = []
    for (const { member, delivery } of arrived) {
      const { id } = delivery.message
      if (this.holders.has(id)) throw new Error(`${id} is handed out while it is held`)
      if (this.settled.has(id)) throw new Error(`${id} is handed out after it was settled`)
      this.holders.set(id, { member, delivery, order: this.order++ })
    }
    for (const { member, delivery } of arrived) {
      if (member.order === 'key' && delivery.message.key !== undefined)
        this.checkOrder(member, delivery.message)
      const held = [...this.holders.values()].filter((holder) => holder.member === member)
      if (held.length > member.most)
        throw new Error(`${held.length} are held, and the window was never that large`)
    }
  }

  /** Whatever goes before it must be with the same consumer already, done, or out of the order by its own doing. */
  private checkOrder(member: Member, { id, key, priority }: WireMessage): void {
    const order = this.holders.get(id)?.order as number
    for (const other of this.sent) {
      if (other.key !== key || other.id === id) continue
      const holder = this.holders.get(other.id)
      if (holder !== undefined && holder.member !== member && holder.member.order === 'key') {
        throw new Error(`${id} and ${other.id} of ${key} are with two consumers`)
      }
      const isHigher = (other.priority as number) > (priority as number)
      const isOlder = other.priority === priority && Number(other.id) < Number(id)
      if (!(isHigher || isOlder) || this.settled.has(other.id) || this.passed.has(other.id)) continue
      if (holder === undefined) throw new Error(`${id} of ${key} is handed out, and ${other.id} is not`)
      if (holder.member === member && holder.order > order)
        throw new Error(`${id} of ${key} came before ${other.id}`)
    }
  }

  held(): readonly { readonly member: Member; readonly delivery: Delivery }[] {
    return [...this.holders.values()]
  }

  gone(delivery: Delivery, verb: 'ack' | 'release' | 'retry' | 'deadLetter', delayMs: number): void {
    const { id } = delivery.message
    this.holders.delete(id)
    if (verb === 'ack' || verb === 'deadLetter') this.settled.add(id)
    if (delayMs > 0) this.passed.add(id)
  }

  left(member: Member): void {
    this.members.splice(this.members.indexOf(member), 1)
    for (const [id, holder] of this.holders) if (holder.member === member) this.holders.delete(id)
  }

  all(): readonly string[] {
    return this.sent.map(({ id }) => id)
  }
}

describe('a queue under random use', () => {
  test('loses nothing, gives nothing to two at a time, and keeps each key in order and with one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80, size: 'max' }), async (steps) => {
        const lab = createLab({ lease: { scope: 'session' } })
        const client = await lab.connect()
        await client.declareQueue('orders')
        const ledger = new Ledger()
        let names = 0
        const enter = async (order: 'none' | 'key', window: number): Promise<void> => {
          const name = `member ${names++}`
          const reader = await (await lab.connect(name)).consume(queue('orders'), { order, window })
          const member: Member = { name, reader, order, most: window }
          reader.onDeliver = (deliveries) => ledger.delivered(member, deliveries)
          ledger.members.push(member)
          await lab.turn()
          ledger.check()
        }
        for (const given of steps) {
          if (given.do === 'send') await client.send('orders', ...ledger.send(given.keys, given.priority))
          else if (given.do === 'join') await enter(given.order, given.window)
          else if (given.do === 'turn') {
            await lab.clock.advance(given.ms)
            ledger.check()
          } else if (given.do === 'settle') {
            const held = ledger.held()
            const holder = held[given.which % held.length]
            if (holder === undefined) continue
            const delayMs = given.verb === 'release' || given.verb === 'retry' ? given.delayMs : 0
            ledger.gone(holder.delivery, given.verb, delayMs)
            const outcome = await holder.member.reader.settleDelivery(holder.delivery, given.verb, {
              delayMs,
            })
            if (outcome !== 'confirmed')
              throw new Error(`${given.verb} was answered ${JSON.stringify(outcome)}`)
          } else {
            const member = ledger.members[given.which % ledger.members.length]
            if (member === undefined) continue
            if (given.do === 'resize') {
              member.most = Math.max(member.most, given.window)
              member.reader.consumer.window(member.reader.scope, given.window)
              continue
            }
            ledger.left(member)
            if (given.do === 'leave') await member.reader.consumer.close()
            else lab.broker.faults.crash(member.name)
          }
        }
        while (ledger.members.length > 0) {
          const [member] = ledger.members as [Member]
          ledger.left(member)
          await member.reader.consumer.close()
        }
        await enter('key', 3)
        await enter('key', 7)
        for (let round = 0; ledger.settled.size < ledger.all().length; round++) {
          expect(round, `${ledger.settled.size} of ${ledger.all().length} came`).toBeLessThan(2_000)
          for (const { member, delivery } of ledger.held()) {
            ledger.gone(delivery, 'ack', 0)
            await member.reader.consumer.settle(delivery.scope, [settlement(delivery, 'ack')])
          }
          await lab.clock.advance(5)
          ledger.check()
        }
        expect(lab.broker.raw.messages('orders')).toEqual([])
      }),
      { numRuns: 150 },
    )
  }, 60_000)
})
