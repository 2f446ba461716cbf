import { describe, expect, test } from 'vitest'
import { Lanes } from './lanes.ts'
import { makeRun } from '../../test/make-run.ts'

describe('Lanes', () => {
  test('lets the first of a key go, and the others one by one', () => {
    const lanes = new Lanes()
    const [first, second, third] = [makeRun(), makeRun(), makeRun()]
    expect(lanes.enter('a', first)).toBe(true)
    expect(lanes.enter('a', second)).toBe(false)
    expect(lanes.enter('b', makeRun())).toBe(true)
    expect(lanes.enter('a', third)).toBe(false)
    expect([lanes.leave('a'), lanes.leave('a'), lanes.leave('a')]).toEqual([second, third, undefined])
    expect(lanes.enter('a', makeRun())).toBe(true)
  })

  test('live only as long as their key is in the window', () => {
    const lanes = new Lanes()
    for (let index = 0; index < 1_000; index++) {
      lanes.enter(`key-${index}`, makeRun())
      lanes.leave(`key-${index}`)
    }
    expect(lanes.size).toBe(0)
  })
})
