import { expect, test } from 'vitest'
import { queueForKey, shardQueues, slotCount, slotOf, slotsOf, wishesOf } from './shards.ts'

const shards = 8

/** Who has each shard while these seats are taken. */
function spread(seats: readonly number[]): readonly (number | undefined)[] {
  const wishes = new Map(seats.map((seat) => [seat, wishesOf(seat, shards)]))
  return Array.from({ length: shards }, (_, shard) =>
    seats.toSorted((one, other) => wishes.get(other)![shard]! - wishes.get(one)![shard]!).at(0),
  )
}

function counts(owners: readonly (number | undefined)[]): readonly number[] {
  return [...new Set(owners)]
    .map((owner) => owners.filter((one) => one === owner).length)
    .toSorted((one, other) => one - other)
}

test.each([
  [1, [8]],
  [2, [4, 4]],
  [3, [2, 3, 3]],
  [4, [2, 2, 2, 2]],
  [5, [1, 1, 2, 2, 2]],
  [8, [1, 1, 1, 1, 1, 1, 1, 1]],
])('%i instances share eight shards evenly', (instances, expected) => {
  expect(counts(spread(Array.from({ length: instances }, (_, seat) => seat)))).toEqual(expected)
})

test('who joins takes its share and moves nothing else, and what it leaves goes back', () => {
  const two = spread([0, 1])
  const three = spread([0, 1, 2])
  expect(three.filter((owner) => owner !== 2)).toEqual(two.filter((_, shard) => three[shard] !== 2))
  expect(spread([1, 0])).toEqual(two)
})

test('every shard has an owner whoever leaves', () => {
  for (const seats of [[0], [1], [2], [1, 2], [0, 2], [3, 5]]) expect(spread(seats)).not.toContain(undefined)
})

test('a key is always of one slot, and each slot of one shard', () => {
  expect(slotOf('customer-1')).toBe(slotOf('customer-1'))
  expect([...Array(1_000).keys()].every((key) => slotOf(`customer-${key}`) < slotCount)).toBe(true)
  for (const count of [1, 3, 8, slotCount]) {
    const all = Array.from({ length: count }, (_, shard) => slotsOf(shard, count)).flat()
    expect(all.toSorted((one, other) => one - other)).toEqual([...Array(slotCount).keys()])
  }
})

test('a thousand keys reach every shard, and what has none the first', () => {
  const queues = new Set(
    [...Array(1_000).keys()].map((key) => queueForKey('orders', shards, `customer-${key}`)),
  )
  expect([...queues].toSorted()).toEqual(shardQueues('orders', shards).toSorted())
  expect(queueForKey('orders', shards, undefined)).toBe('orders')
  expect(queueForKey('orders', 1, 'customer-1')).toBe('orders')
})
