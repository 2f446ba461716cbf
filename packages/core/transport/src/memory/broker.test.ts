import { describe, expect, test } from 'vitest'
import { createMemoryBroker, memory } from '../memory.ts'
import { createVirtualClock } from '../testing.ts'

describe('createMemoryBroker', () => {
  test('serves many transports, and its contents outlive them', async () => {
    const clock = createVirtualClock()
    const broker = createMemoryBroker({ clock })
    const sender = await broker.connect({ name: 'sender' })
    expect(sender.clock).toBe(clock)
    await sender.send('orders', { data: { order: 1 } })
    await sender.close()
    const receiver = await broker.connect({ name: 'receiver' })
    const received: unknown[] = []
    await receiver.consume('orders', ({ data }) => received.push(data))
    await clock.advance(0)
    expect(received).toEqual([{ order: 1 }])
    expect(receiver.native.sources()).toContain('orders')
    await receiver.close()
    expect(clock.pending).toBe(0)
  })

  test('finds transports by name when something must go wrong', async () => {
    const clock = createVirtualClock()
    const broker = createMemoryBroker({ clock })
    const one = await broker.connect({ name: 'one' })
    const two = await broker.connect({ name: 'two' })
    broker.faults.refuse(true)
    broker.faults.cut('one')
    await clock.advance(0)
    expect([one.health().state, two.health().state]).toEqual(['connecting', 'up'])
    broker.faults.refuse(false)
    await clock.runUntil(() => one.health().state === 'up')
    await Promise.all([one.close(), two.close()])
  })
})

describe('options that cannot be used are refused', () => {
  test('with the near one, naming the call', async () => {
    const broker = createMemoryBroker()
    await expect(broker.connect({ nmae: 'one' } as never)).rejects.toThrow(
      'connect() has no option "nmae". Did you mean "name"?',
    )
    await expect(broker.connect(null as never)).rejects.toThrow('The options of connect() must be')
    await expect(memory({ namspace: 'a' } as never)).rejects.toThrow('memory() has no option "namspace"')
    await expect(memory(null as never)).rejects.toMatchObject({ code: 'POSTHORN_INVALID_OPTION' })
  })
})

describe('memory', () => {
  test('is a broker of its own', async () => {
    const clock = createVirtualClock()
    const one = await memory({ clock })
    const two = await memory({ clock })
    await one.send('orders', { data: 1 })
    expect(one.native.sources()).toContain('orders')
    expect(two.native.sources()).toEqual([])
    expect(one.broker).toBe('memory')
    await Promise.all([one.close(), two.close()])
  })
})
