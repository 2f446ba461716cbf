import { createVirtualClock } from '@posthorn/transport/testing'
import { expect, test } from 'vitest'
import { firstSuccess } from './first-success.ts'

const never = (): Promise<string> => new Promise(() => undefined)
const failing = (text: string) => (): Promise<string> => Promise.reject(new Error(text))
const answering = (text: string) => (): Promise<string> => Promise.resolve(text)

test('after a failure the next one is tried at once', async () => {
  const clock = createVirtualClock()
  expect(await firstSuccess([failing('a'), failing('b'), answering('c')], 1_000, clock)).toBe('c')
  expect(clock.pending).toBe(0)
})

test('one that does not answer gets a head start, and no more', async () => {
  const clock = createVirtualClock()
  const begun = clock.now()
  const first = firstSuccess([never, never, answering('c')], 1_000, clock).then((value) => [
    value,
    clock.now(),
  ])
  await clock.advance(10_000)
  expect(await first).toEqual(['c', begun + 2_000])
  expect(clock.pending).toBe(0)
})

test('nothing more is tried once there is an answer', async () => {
  const clock = createVirtualClock()
  let tried = 0
  const counting = (): Promise<string> => Promise.resolve(`${(tried += 1)}`)
  expect(await firstSuccess([counting, counting], 1_000, clock)).toBe('1')
  await clock.advance(10_000)
  expect(tried).toBe(1)
})

test.each([[[]], [['a', 'b']]])('when all have failed it tells of each: %j', async (texts) => {
  const failed = firstSuccess(texts.map(failing), 1_000, createVirtualClock())
  await expect(failed).rejects.toMatchObject({ errors: texts.map((text) => new Error(text)) })
})
