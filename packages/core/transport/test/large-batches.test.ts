import { expect, test } from 'vitest'
import { PartialPublishError } from '../src/index.ts'
import { createMemoryBroker } from '../src/memory.ts'
import { createVirtualClock } from '../src/testing.ts'

const numbers = (count: number): { data: number }[] => Array.from({ length: count }, (_, data) => ({ data }))

test.each([
  ['count', { maxInFlight: 10 }],
  ['bytes', { maxInFlightBytes: 20 }],
])(
  'a batch larger than what may be in flight by %s goes piece by piece, in order',
  async (_bound, limits) => {
    const broker = createMemoryBroker({ clock: createVirtualClock() })
    const transport = await broker.connect({ ...limits, whenFull: 'reject' })
    await transport.sendMany('orders', numbers(105))
    const stored = broker.raw
      .messages('orders')
      .map(({ message }) => Number(Buffer.from(message.body).toString()))
    expect(stored).toEqual(numbers(105).map(({ data }) => data))
    await transport.close()
  },
)

test('a batch whose time is over answers for every message: unknown what was written, rejected the rest', async () => {
  const clock = createVirtualClock()
  const broker = createMemoryBroker({ clock })
  const transport = await broker.connect({ maxInFlight: 10 })
  await transport.declare({ queues: [{ name: 'orders' }] })
  broker.faults.freezePublishes(true)
  const sending = transport
    .sendMany('orders', numbers(25), { timeoutMs: 1_000 })
    .catch((error: unknown) => error)
  await clock.advance(1_000)
  const error = await sending
  expect(error).toBeInstanceOf(PartialPublishError)
  const { outcomes } = error as PartialPublishError
  expect(outcomes).toHaveLength(25)
  const told = outcomes.map((outcome) =>
    outcome === 'confirmed' ? outcome : `${outcome.code} ${outcome.outcome}`,
  )
  const written = told.filter((one) => one === 'POSTHORN_TIMEOUT unknown').length
  expect(written).toBeGreaterThan(0)
  expect(written).toBeLessThanOrEqual(10)
  expect(told.slice(written)).toEqual(Array.from({ length: 25 - written }, () => 'POSTHORN_TIMEOUT rejected'))
  broker.faults.freezePublishes(false)
  await transport.close()
})
