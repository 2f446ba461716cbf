import { describe, expect, test } from 'vitest'
import { createIdFactory, deriveId } from './create-id.ts'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import type { Clock } from '../contract/clock.ts'

const version7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const version8 = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

const take = (createId: () => string, count: number): string[] =>
  Array.from({ length: count }, () => createId())

/** A clock that tells these times, one after the other. */
const tellTimes = (times: readonly number[], random = 0.5): Clock => {
  let index = 0
  return {
    now: () => times[Math.min(index++, times.length - 1)]!,
    random: () => random,
    setTimer: () => () => undefined,
    defer: () => undefined,
  }
}

const expectRising = (ids: readonly string[]): void => {
  for (let index = 1; index < ids.length; index += 1) {
    if (ids[index]! <= ids[index - 1]!) expect.fail(`${ids[index]} does not come after ${ids[index - 1]}`)
  }
}

describe('createIdFactory', () => {
  test('makes UUIDs of version 7 that hold the time', () => {
    const now = Date.UTC(2026, 4, 17, 8, 30)
    const createId = createIdFactory(createVirtualClock({ startAt: now }))

    for (const id of take(createId, 100)) {
      expect(id).toMatch(version7)
      expect(Number.parseInt(id.replace('-', '').slice(0, 12), 16)).toBe(now)
    }
  })

  test('always rises while the clock stands still', () => {
    const ids = take(createIdFactory(createVirtualClock()), 100_000)

    expectRising(ids)
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('always rises when the clock goes back, or on by fractions', () => {
    const ids = take(
      createIdFactory(tellTimes([1_000, 1_000.25, 1_000.5, 900, 1, 0, 1_001, 1_000, 2_000])),
      20,
    )

    expectRising(ids)
    for (const id of ids) expect(id).toMatch(version7)
  })

  test('goes on into the next millisecond when the counter is at its end', () => {
    let calls = 0
    const clock: Clock = {
      ...tellTimes([1_000]),
      // More than a clock would say, so that the counter starts three before its end and not at most in its middle.
      random: () => (calls++ === 0 ? (2 ** 26 - 4) / 2 ** 25 : 0.5),
    }
    const createId = createIdFactory(clock)

    const ids = take(createId, 6)

    expect(ids.map((id) => id.slice(0, 23))).toEqual([
      '00000000-03e8-7fff-bffc',
      '00000000-03e8-7fff-bffd',
      '00000000-03e8-7fff-bffe',
      '00000000-03e8-7fff-bfff',
      '00000000-03e9-7000-8000',
      '00000000-03e9-7000-8001',
    ])
  })

  test('leaves half of the counter for one millisecond at least', () => {
    const createId = createIdFactory(tellTimes([1_000], 1 - Number.EPSILON))

    expect(createId().slice(0, 23)).toBe('00000000-03e8-77ff-bfff')
  })

  test('leaves out parts of a millisecond', () => {
    expect(createIdFactory(tellTimes([1_000.9]))().slice(0, 13)).toBe('00000000-03e8')
  })

  test('uses the time that it is given in place of the clock', () => {
    const createId = createIdFactory(tellTimes([1]))

    expect(createId(0xabc).slice(0, 13)).toBe('00000000-0abc')
  })

  test('takes times that no UUID can hold as the nearest that can', () => {
    expect(createIdFactory(tellTimes([-5]))()).toMatch(version7)
    expect(createIdFactory(tellTimes([Number.NaN]))()).toMatch(version7)
    const ids = take(createIdFactory(tellTimes([2 ** 50])), 10)
    expect(ids[0]!.slice(0, 13)).toBe('ffffffff-ffff')
    expectRising(ids)
  })

  test('gives other ids in another process of the same moment', () => {
    const first = take(createIdFactory(createVirtualClock({ seed: 1 })), 1_000)
    const second = take(createIdFactory(createVirtualClock({ seed: 2 })), 1_000)

    expect(new Set([...first, ...second]).size).toBe(2_000)
  })
})

describe('deriveId', () => {
  test('makes the same UUID of version 8 each time', () => {
    const id = deriveId('parent', 'orders', 3)

    expect(id).toMatch(version8)
    expect(deriveId('parent', 'orders', 3)).toBe(id)
  })

  test('stays what it is from version to version', () => {
    expect(deriveId('0195b2c1-0000-7000-8000-000000000000', 'send', 'orders', 0)).toBe(
      'bc6b3df3-c977-8b3a-a4cb-f8401c894730',
    )
  })

  test('differs when any part does, or where the parts begin', () => {
    const ids = [
      deriveId('parent'),
      deriveId('parent', ''),
      deriveId('parent', 'a', 'b'),
      deriveId('parent', 'ab'),
      deriveId('parenta', 'b'),
      deriveId('parent', 1),
      deriveId('parent', '1'),
      deriveId('parent', 'b', 'a'),
    ]

    expect(new Set(ids).size).toBe(ids.length)
  })
})
