import { describe, expect, test, vi } from 'vitest'
import { createDeadLetterTools, retry } from '@posthorn/dlq-retry'
import { brokers } from './with-broker.ts'
import type { Message } from '@posthorn/transport'

const patience = { timeout: 20_000, interval: 20 }

class Declined extends Error {
  override readonly name: string = 'Declined'
}

describe.each(brokers)('on %s', (_broker, start) => {
  const bench = start()

  test('two instances make the attempts of a policy together, none early', async () => {
    const policy = retry({ maxAttempts: 4, backoff: [150, 300, 450], jitter: 'none' })
    const seen: { attempt: number; at: number; instance: string }[] = []
    const work = async (instance: string): Promise<() => Promise<unknown>> => {
      const transport = await bench.open()
      const consumer = await transport.consume(
        'bills',
        (_, { attempt }) => {
          seen.push({ attempt, at: transport.clock.now(), instance })
          throw new Error('503')
        },
        { use: [policy], name: instance },
      )
      return () => consumer.stop()
    }
    const stop = await work('one')
    const sender = await bench.open()
    await sender.send('bills', { data: 1 })
    await vi.waitFor(() => expect(seen).toHaveLength(1), patience)
    await stop()
    await work('two')
    await vi.waitFor(async () => expect(await sender.deadLetters('bills').count()).toBe(1), patience)

    expect(seen.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4])
    expect(new Set(seen.map(({ instance }) => instance))).toEqual(new Set(['one', 'two']))
    for (const [index, waitMs] of [150, 300, 450].entries()) {
      const [before, after] = [seen[index], seen[index + 1]]
      expect((after?.at ?? 0) - (before?.at ?? 0)).toBeGreaterThanOrEqual(waitMs)
    }
    const { entries } = await createDeadLetterTools(sender, 'bills').list()
    expect(entries).toMatchObject([{ reason: 'attempts-exhausted', attempts: 4, handler: 'two' }])
  })

  test('what is not worth a retry is a dead letter at once, and a replay goes to its own group', async () => {
    const transport = await bench.open()
    const policy = retry({
      backoff: 50,
      jitter: 'none',
      when: [{ errors: Declined, retry: false, reason: 'declined' }],
    })
    const got: Record<'billing' | 'mail', Message[]> = { billing: [], mail: [] }
    let isStrict = true
    for (const group of ['billing', 'mail'] as const)
      await transport.subscribe(
        'orders',
        (message) => {
          got[group].push(message)
          if (group === 'billing' && isStrict) throw new Declined(`no ${message.type}`)
        },
        { group, use: [policy], name: group },
      )
    const types = ['order.paid', 'order.paid', 'order.sent']
    for (const [data, type] of types.entries()) await transport.publish('orders', { data, type })

    const tools = createDeadLetterTools(transport, 'orders/billing')
    await vi.waitFor(async () => expect(await tools.count()).toBe(3), patience)
    await vi.waitFor(() => expect(got.mail).toHaveLength(3), patience)
    expect(got.billing).toHaveLength(3)
    const { groups } = await tools.groups()
    expect(groups).toMatchObject([
      { count: 3, reason: 'declined', errorName: 'Declined', handler: 'billing' },
    ])
    const { entries, cursor } = await tools.list({ limit: 2 })
    const rest = await tools.list({ limit: 2, ...(cursor === undefined ? {} : { cursor }) })
    expect(new Set([...entries, ...rest.entries].map(({ entryId }) => entryId)).size).toBe(3)

    isStrict = false
    await expect(tools.replay({ types: 'order.paid' }, { perSecond: 20 })).resolves.toMatchObject({
      replayed: 2,
    })
    await expect(tools.replay('all', { edit: () => ({ data: 'other' }) })).resolves.toMatchObject({
      replayed: 1,
    })
    await vi.waitFor(() => expect(got.billing).toHaveLength(6), patience)
    const [first, second, edited] = got.billing.slice(3)
    const originals = got.billing.slice(0, 3)
    const paid = originals.filter(({ type }) => type === 'order.paid').map(({ id }) => id)
    expect(new Set([first?.id, second?.id])).toEqual(new Set(paid))
    expect([first?.replays, second?.replays]).toEqual([1, 1])
    expect(edited).toMatchObject({
      data: 'other',
      causationId: originals.find(({ type }) => type === 'order.sent')?.id,
    })
    expect(await tools.count()).toBe(0)
    expect(await transport.deadLetters({ topic: 'orders', group: 'mail' }).count()).toBe(0)
    expect(got.mail).toHaveLength(3)
  })
})
