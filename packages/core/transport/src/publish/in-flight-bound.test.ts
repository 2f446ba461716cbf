import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { wireMessage } from '../../test/wire-message.ts'
import { InFlightBound, type InFlightLimits } from './in-flight-bound.ts'
import { Pending } from './pending.ts'

const destination = { kind: 'queue', name: 'orders', shards: 1 } as const

function message(bytes: number, id = 'm'): Pending {
  return new Pending(destination, wireMessage(id, bytes), { done: () => {} }, 0, 0)
}

function bound(changed: Partial<InFlightLimits> = {}): InFlightBound {
  return new InFlightBound({ maxInFlight: 2, maxInFlightBytes: 100, whenFull: 'wait', ...changed })
}

describe('what is in flight', () => {
  test('is bounded in number', () => {
    const one = bound()
    expect([message(1), message(1), message(1)].map((pending) => one.enter(pending))).toEqual([
      'in',
      'in',
      'waits',
    ])
  })

  test('is bounded in bytes', () => {
    const one = bound({ maxInFlight: 10 })
    expect([60, 40, 1].map((bytes) => one.enter(message(bytes)))).toEqual(['in', 'in', 'waits'])
  })

  test('may be one message that is larger than the bound, alone', () => {
    const one = bound()
    const large = message(1_000)
    expect(one.enter(large)).toBe('in')
    expect(one.enter(message(1))).toBe('waits')
    one.leave(large)
    expect(one.next()).toBeDefined()
    expect(one.bytes).toBe(1)
  })

  test('is never overtaken by a message that would fit beside it', () => {
    const one = bound({ maxInFlight: 10 })
    const first = message(90)
    one.enter(first)
    const large = message(50, 'large')
    const small = message(5, 'small')
    expect([one.enter(large), one.enter(small)]).toEqual(['waits', 'waits'])
    expect(one.next()).toBeUndefined()
    one.leave(first)
    expect([one.next(), one.next(), one.next()]).toEqual([large, small, undefined])
  })
})

describe('past the bound', () => {
  test('as many again wait, and then none', () => {
    const one = bound()
    const answers = Array.from({ length: 5 }, () => one.enter(message(1)))
    expect(answers).toEqual(['in', 'in', 'waits', 'waits', 'full'])
  })

  test('as many bytes again wait, and then none', () => {
    const one = bound({ maxInFlight: 100 })
    expect([100, 90, 20, 10, 1].map((bytes) => one.enter(message(bytes)))).toEqual([
      'in',
      'waits',
      'full',
      'waits',
      'full',
    ])
  })

  test('one message that is larger than the bound may wait, alone', () => {
    const one = bound()
    expect([1_000, 1_000, 1].map((bytes) => one.enter(message(bytes)))).toEqual(['in', 'waits', 'full'])
  })

  test('nothing waits where sends are to be rejected', () => {
    const one = bound({ whenFull: 'reject' })
    expect(Array.from({ length: 3 }, () => one.enter(message(1)))).toEqual(['in', 'in', 'full'])
  })

  test('those that were given up make room for others', () => {
    const one = bound()
    one.enter(message(60))
    const waiting = [message(50), message(50)]
    for (const pending of waiting) one.enter(pending)
    expect(one.enter(message(1))).toBe('full')
    for (const pending of waiting) pending.answer('confirmed')
    one.each()
    expect(one.waiters).toBe(0)
    expect([one.enter(message(1)), one.enter(message(60)), one.enter(message(40))]).toEqual([
      'in',
      'waits',
      'waits',
    ])
  })

  test('those that were given up are passed over', () => {
    const one = bound()
    const first = message(100)
    one.enter(first)
    const given = message(1)
    const wanted = message(1)
    one.enter(given)
    one.enter(wanted)
    given.answer('confirmed')
    expect(one.next()).toBeUndefined()
    one.leave(first)
    expect(one.next()).toBe(wanted)
    expect(one.count).toBe(1)
  })

  test('each visits those that wait, in order', () => {
    const one = bound()
    const all = [message(100), message(1, 'a'), message(1, 'b')]
    for (const pending of all) one.enter(pending)
    const visited: string[] = []
    one.each(({ wire }) => visited.push(wire.id))
    expect(visited).toEqual(['a', 'b'])
    expect(one.waiters).toBe(2)
  })
})

test('whatever comes, goes and is given up: the bounds hold, nothing is lost, and the order is kept', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('enter' as const), bytes: fc.nat({ max: 60 }) }),
    fc.record({ do: fc.constantFrom('leave' as const, 'give up' as const), pick: fc.nat() }),
  )
  const limits = fc.record({
    maxInFlight: fc.integer({ min: 1, max: 5 }),
    maxInFlightBytes: fc.integer({ min: 1, max: 120 }),
    whenFull: fc.constantFrom('wait' as const, 'reject' as const),
  })
  fc.assert(
    fc.property(limits, fc.array(step, { maxLength: 80 }), (given, program) => {
      const one = new InFlightBound(given)
      let inside: Pending[] = []
      let waiting: Pending[] = []
      const refill = (): void => {
        for (let next = one.next(); next !== undefined; next = one.next()) {
          waiting = waiting.filter((pending) => !pending.answered)
          expect(next).toBe(waiting.shift())
          inside.push(next)
        }
      }
      for (const action of program) {
        if (action.do === 'enter') {
          const pending = message(action.bytes)
          const answer = one.enter(pending)
          if (answer === 'in') inside.push(pending)
          else if (answer === 'waits') waiting.push(pending)
        } else if (action.do === 'leave') {
          const [gone] = inside.splice(action.pick % Math.max(1, inside.length), 1)
          if (gone !== undefined) one.leave(gone)
        } else {
          waiting[action.pick % Math.max(1, waiting.length)]?.answer('confirmed')
          one.each()
        }
        refill()
        const size = (all: readonly Pending[]): number =>
          all.reduce((sum, { wire }) => sum + wire.body.length, 0)
        expect(one.count).toBe(inside.length)
        expect(one.bytes).toBe(size(inside))
        expect(one.count).toBeLessThanOrEqual(given.maxInFlight)
        if (inside.length > 1) expect(one.bytes).toBeLessThanOrEqual(given.maxInFlightBytes)
        expect(one.waiters).toBeLessThanOrEqual(given.whenFull === 'wait' ? given.maxInFlight : 0)
        waiting = waiting.filter((pending) => !pending.answered)
        expect(one.waiters).toBe(waiting.length)
        if (waiting.length > 1) expect(size(waiting)).toBeLessThanOrEqual(given.maxInFlightBytes)
      }
      for (const pending of inside.splice(0)) one.leave(pending)
      refill()
      while (inside.length > 0) {
        for (const pending of inside.splice(0)) one.leave(pending)
        refill()
      }
      expect([one.count, one.bytes, one.waiters]).toEqual([0, 0, 0])
    }),
  )
})
