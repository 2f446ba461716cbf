import { expect, test } from 'vitest'
import { createVirtualClock } from '../testing.ts'
import { inTime } from './in-time.ts'

test('inTime answers what the work does, nothing when it is late or fails, and leaves no timer', async () => {
  const clock = createVirtualClock()
  expect(await inTime(clock, 1_000, Promise.resolve('in time'))).toBe('in time')
  expect(await inTime(clock, 1_000, Promise.reject(new Error('no')))).toBeUndefined()
  expect(clock.pending).toBe(0)
  const late = inTime(clock, 1_000, new Promise(() => {}))
  await clock.advance(1_000)
  expect(await late).toBeUndefined()
})
