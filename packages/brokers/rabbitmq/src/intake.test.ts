import { expect, test } from 'vitest'
import { Intake } from './intake.ts'
import { PosthornError } from '@posthorn/transport'
import type { Delivery, DeliverySink, SettleItem } from '@posthorn/transport/driver'

const scope = { name: 'channel 1' }
const delivery = (id: string): Delivery => ({ scope, token: id }) as unknown as Delivery

/** So many acks, and a hold and a failed one, after which the delivery is still held. */
function settled(count: number): Parameters<Intake['settled']> {
  const verbs = [...Array.from({ length: count }, () => 'ack'), 'hold', 'ack']
  const items = verbs.map((verb) => ({ verb }) as SettleItem)
  return [
    items,
    [...items.slice(1).map(() => 'sent' as const), new PosthornError('POSTHORN_SETTLE_FAILED', 'no')],
  ]
}

function setUp(): {
  readonly intake: Intake
  readonly batches: string[]
  readonly turn: () => Promise<void>
} {
  const batches: string[] = []
  const sink = {
    deliver: (_: unknown, given: readonly Delivery[]) =>
      void batches.push(given.map(({ token }) => token).join(' ')),
  } as DeliverySink
  return { intake: new Intake(scope, sink), batches, turn: async () => undefined }
}

test('hands out what came in a turn together, once it is open', async () => {
  const { intake, batches, turn } = setUp()
  for (const id of ['a', 'b']) intake.add(delivery(id))
  await turn()
  expect(batches).toEqual([])
  intake.open(10)
  intake.add(delivery('c'))
  await turn()
  expect(batches).toEqual(['a b c'])
})

test('never goes beyond the window, and on as deliveries are settled', async () => {
  const { intake, batches, turn } = setUp()
  intake.open(2)
  for (const id of ['a', 'b', 'c', 'd']) intake.add(delivery(id))
  await turn()
  intake.settled(...settled(1))
  await turn()
  intake.resize(3)
  await turn()
  expect(batches).toEqual(['a b', 'c', 'd'])
})

test('what is put back comes again in its place', async () => {
  const { intake, batches, turn } = setUp()
  const rankOf = ({ token }: Delivery): number => Number(token)
  intake.open(3)
  for (const id of ['1', '2', '3', '4', '5']) intake.add(delivery(id))
  await turn()
  intake.putBack(delivery('2'), rankOf)
  intake.putBack(delivery('1'), rankOf)
  intake.settled(...settled(2))
  await turn()
  intake.settled(...settled(3))
  await turn()
  expect(batches).toEqual(['1 2 3', '1 2', '4 5'])
})

test('keeps back what came for a window that is now smaller', async () => {
  const { intake, batches, turn } = setUp()
  intake.open(2)
  intake.resize(0)
  intake.add(delivery('a'))
  await turn()
  expect(batches).toEqual([])
  expect(intake.takeBack().map(({ token }) => token)).toEqual(['a'])
})

test('hands out nothing after the end', async () => {
  const { intake, batches, turn } = setUp()
  intake.open(2)
  intake.add(delivery('a'))
  intake.close()
  await turn()
  expect(batches).toEqual([])
})
