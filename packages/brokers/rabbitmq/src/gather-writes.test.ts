import { createVirtualClock } from '@posthorn/transport/testing'
import { expect, test } from 'vitest'
import { gatherWrites } from './gather-writes.ts'

test('what is written in a turn and the next leaves together, once', async () => {
  const calls: string[] = []
  const clock = createVirtualClock()
  const gather = gatherWrites(
    { cork: () => void calls.push('cork'), uncork: () => void calls.push('uncork') },
    clock,
  )
  gather()
  gather()
  expect(calls).toEqual(['cork'])
  await clock.advance(0)
  expect(calls).toEqual(['cork', 'uncork'])
  gather()
  await clock.advance(0)
  expect(calls).toEqual(['cork', 'uncork', 'cork', 'uncork'])
})
