import type { DeadLetter } from '@posthorn/transport'
import { expect, test } from 'vitest'
import { DeadLetterGrouping, maxGroups } from './group-dead-letters.ts'

const entry = (index: number, fields: Partial<DeadLetter> = {}): DeadLetter =>
  ({
    entryId: `e${index}`,
    id: `m${index}`,
    type: 'order.created',
    reason: 'attempts-exhausted',
    error: { name: 'Error', message: `failed ${index}`, code: undefined },
    handler: 'charge',
    deadLetteredAt: index,
    ...fields,
  }) as DeadLetter

test('keeps the first and last time, and the newest as the example', () => {
  const grouping = new DeadLetterGrouping()
  for (const index of [5, 9, 2]) grouping.add(entry(index))
  expect(grouping.result().groups).toMatchObject([
    { count: 3, firstAt: 2, lastAt: 9, example: { entryId: 'e9', errorMessage: 'failed 9' } },
  ])
})

test('holds no more with a hundred thousand kinds than with a thousand', () => {
  const grouping = new DeadLetterGrouping()
  for (let index = 0; index < 100_000; index++)
    grouping.add(entry(index, { handler: `h${index}`, type: `t${index}` }))
  const { groups, ungrouped } = grouping.result()
  expect([groups.length, ungrouped]).toEqual([maxGroups, 100_000 - maxGroups])

  const types = new DeadLetterGrouping()
  for (let index = 0; index < 1_000; index++) types.add(entry(index, { type: `t${index}` }))
  const [group] = types.result().groups
  expect([group?.count, Object.keys(group?.types ?? {}).length]).toEqual([1_000, 10])
})

test('takes types for what they are', () => {
  const grouping = new DeadLetterGrouping()
  grouping.add(entry(1, { type: '__proto__' }))
  grouping.add(entry(2, { type: 'constructor' }))
  expect(Object.entries(grouping.result().groups[0]?.types ?? {})).toEqual([
    ['__proto__', 1],
    ['constructor', 1],
  ])
})
