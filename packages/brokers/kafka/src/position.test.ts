import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Position } from './position.ts'
import { maxListed, maxSpan, readMetadata } from './commit-metadata.ts'

test('the watermark is the first that is not done', () => {
  const position = new Position(10, '')
  const entries = [10, 11, 15, 16].map((offset) => position.handOut(offset, offset + 1))
  position.done(entries[1]!)
  expect(position.watermark).toBe(10)
  position.done(entries[0]!)
  expect(position.watermark).toBe(15)
  position.done(entries[2]!)
  position.done(entries[3]!)
  expect(position.watermark).toBe(17)
})

test('whoever comes next gets what is not done, and nothing else', () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { maxLength: 100 }),
      fc.array(fc.boolean(), { maxLength: 100 }),
      (first, second) => {
        const size = Math.max(first.length, second.length)
        const done = new Set<number>()
        let position = new Position(0, '')
        for (const round of [first, second]) {
          for (let offset = position.next; offset < size; offset++) {
            if (position.wasDone(offset)) {
              expect(done).toContain(offset)
              position.pass(offset + 1)
              continue
            }
            expect(done).not.toContain(offset)
            const entry = position.handOut(offset, offset + 1)
            if (round[offset] !== true) continue
            position.done(entry)
            done.add(offset)
          }
          const { offset, metadata } = position.commit(true)
          position = new Position(offset, metadata)
        }
        for (let offset = 0; offset < size; offset++) {
          expect(offset < position.watermark || position.wasDone(offset)).toBe(done.has(offset))
        }
      },
    ),
  )
})

test('after a crash what may have been handed out counts, and nothing else', () => {
  const first = new Position(0, '')
  first.reserveAhead(5)
  first.handOut(0, 1)
  const { offset, metadata } = first.commit(false)
  const second = new Position(offset, metadata)
  expect([0, 5, 6].map((at) => second.deliveriesOf(at))).toEqual([2, 2, 1])
  const third = new Position(0, second.commit(false).metadata)
  expect(third.deliveriesOf(0)).toBe(3)
})

test('an orderly end does not count', () => {
  const first = new Position(0, '')
  first.handOut(0, 1)
  first.commit(false)
  const second = new Position(0, first.commit(true).metadata)
  expect(second.deliveriesOf(0)).toBe(1)
})

test('once all that may have been handed out is passed, the count begins anew', () => {
  const second = new Position(0, new Position(0, '').commit(false).metadata)
  second.done(second.handOut(0, 1))
  const { offset, metadata } = second.commit(false)
  expect(readMetadata(offset, metadata).highs).toEqual([2])
})

test('what is held is kept until it is done', () => {
  const state = { attempt: 3, releases: 0, trials: 0, firstFailedAt: 1, lastFailedAt: 2, notBefore: 3 }
  const first = new Position(0, '')
  first.handOut(0, 1)
  first.held.set(0, state)
  const second = new Position(0, first.commit(true).metadata)
  expect(second.held.get(0)).toEqual(state)
  second.done(second.handOut(0, 1))
  expect(second.held.size).toBe(0)
})

test('what was held of a record that is gone is forgotten once it is passed', () => {
  const state = { attempt: 3, releases: 0, trials: 0, firstFailedAt: 1, lastFailedAt: 2, notBefore: 3 }
  const position = new Position(0, '')
  position.held.set(1, state)
  const [first, last] = [position.handOut(0, 1), position.handOut(5, 6)]
  position.done(first)
  position.done(last)
  const { offset, metadata } = position.commit(true)
  expect(new Position(offset, metadata).held.size).toBe(0)
})

test('there is room for what is close above the first that is open, and for anything where little or nothing is', () => {
  const position = new Position(0, '')
  expect(position.hasRoomFor(1e12)).toBe(true)
  const first = position.handOut(10, 11)
  for (let offset = 11; offset < 10 + maxListed; offset++) {
    expect(position.hasRoomFor(1e12)).toBe(true)
    position.handOut(offset, offset + 1)
  }
  expect([position.hasRoomFor(9 + maxSpan), position.hasRoomFor(10 + maxSpan)]).toEqual([true, false])
  const last = position.handOut(9 + maxSpan, 10 + maxSpan)
  position.done(last)
  expect(() => position.commit(false)).not.toThrow()
  position.done(first)
  expect(position.hasRoomFor(10 + maxSpan)).toBe(true)
})

test('a position says which log it is of', () => {
  const { offset, metadata } = new Position(7, '', 'abcdef').commit(false)
  expect(readMetadata(offset, metadata).log).toBe('abcdef')
})
