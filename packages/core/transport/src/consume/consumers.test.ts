import { describe, expect, test } from 'vitest'
import { createConsumeBench } from '../../test/consume-bench.ts'

const handler = (): void => undefined

describe('consuming', () => {
  test('refuses what cannot be subscribed to, also without options', async () => {
    const { open, close } = createConsumeBench()
    const transport = await open()
    await expect(transport.subscribe('events', handler, undefined as never)).rejects.toThrow(
      'needs either { group }',
    )
    await expect(
      transport.subscribe('events', handler, { group: 'a', from: 'latest' as never }),
    ).rejects.toThrow('from must be "earliest" or a valid Date')
    await expect(
      transport.subscribe('events', handler, { ephemeral: true, from: 'earliest' } as never),
    ).rejects.toThrow('from says where a group starts')
    await close()
  })

  test('refuses where to start for a queue, which has no groups', async () => {
    const { open, close } = createConsumeBench()
    const transport = await open()
    await expect(transport.consume('orders', handler, { from: 'earliest' } as never)).rejects.toThrow(
      'has no option "from"',
    )
    await close()
  })

  test('starts a group where it should', async () => {
    const { clock, open, close } = createConsumeBench()
    const transport = await open()
    await transport.publish('events', { data: 'before' })
    const seen: unknown[] = []
    await transport.subscribe('events', ({ data }) => seen.push(data), { group: 'all', from: 'earliest' })
    await clock.advance(10)
    expect(seen).toEqual(['before'])
    await close()
  })

  test('refuses a time for handlers that the broker does not give, and shortens the default to it', async () => {
    const { clock, open, close } = createConsumeBench({ lease: { scope: 'session', maxHoldMs: 60_000 } })
    const transport = await open()
    await expect(transport.consume('orders', handler, { handlerTimeoutMs: 60_001 })).rejects.toThrow(
      'lets a delivery be held for 60000 ms at most',
    )
    let timedOut = 0
    transport.on('handlerTimedOut', () => timedOut++)
    await transport.consume('orders', () => new Promise(() => {}))
    await transport.send('orders', { data: 1 })
    await clock.advance(59_000)
    expect(timedOut).toBe(1)
    await close()
  })

  test('allows more hand-outs where a mere close counts as one', async () => {
    for (const [release, deadLettered] of [
      ['uncounted', 1],
      ['counted', 0],
    ] as const) {
      const { clock, broker, open, crashOn, close } = createConsumeBench({
        release,
        lease: { scope: 'session' },
      })
      const transport = await open()
      await transport.send('orders', { data: 1 })
      await crashOn('orders', 10)
      await transport.consume('orders', handler)
      await clock.advance(10)
      expect(broker.raw.messages('orders.dlq')).toHaveLength(deadLettered)
      await close()
    }
  })
})

test('a consumer that is set up while its transport closes does not outlive it', async () => {
  const { clock, broker, open, close } = createConsumeBench()
  const transport = await open()
  const consuming = transport.consume('orders', handler).then(
    () => 'consumes',
    ({ code }: { readonly code: string }) => code,
  )
  await close()
  await clock.advance(1_000)
  expect(['consumes', 'POSTHORN_CLOSED']).toContain(await consuming)
  expect(transport.health().consumers).toEqual([])
  const other = await broker.connect()
  await other.send('orders', { data: 1 })
  await clock.advance(10)
  expect(broker.raw.messages('orders').map(({ state }) => state)).toEqual(['ready'])
  await other.close()
})
