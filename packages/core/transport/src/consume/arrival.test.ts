import { describe, expect, test } from 'vitest'
import { judgeArrival, wasAlone } from './arrival.ts'
import { makeRun, type MadeRun } from '../../test/make-run.ts'

const limits = { maxAttempts: 5, maxDeliveries: 10, maxBytes: 100 }
const now = 1_000

describe('judgeArrival', () => {
  test.each<[string, MadeRun, ReturnType<typeof judgeArrival>]>([
    ['an ordinary one', {}, 'handle'],
    ['the last attempt', { wire: { attempt: 5 } }, 'handle'],
    ['one attempt more', { wire: { attempt: 6 } }, 'attempts-exhausted'],
    ['the last hand-out', { deliveries: 10 }, 'handle'],
    ['one hand-out more', { deliveries: 11 }, 'deliveries-exhausted'],
    ['one hand-out more, of which one was released', { deliveries: 11, wire: { releases: 1 } }, 'handle'],
    ['the largest body', { wire: { body: Buffer.alloc(100) } }, 'handle'],
    ['a larger body', { wire: { body: Buffer.alloc(101) } }, 'too-large'],
    ['one that expires right after', { wire: { expiresAt: now + 1 } }, 'handle'],
    ['one that expires now', { wire: { expiresAt: now } }, 'expired'],
    ['one that is expired and exhausted', { wire: { expiresAt: now, attempt: 9 } }, 'expired'],
  ])('lets %s be judged rightly', (_, made, verdict) => {
    expect(judgeArrival(makeRun(made).delivery, now, limits)).toBe(verdict)
  })

  test.each([
    [10, 2, false],
    [10, 3, true],
    [4, 1, false],
    [4, 2, true],
    [2, 0, true],
  ])(
    'with at most %i hand-outs, one that was begun alone %i times ends processes: %s',
    (maxDeliveries, trials, ends) => {
      expect(wasAlone(makeRun({ wire: { trials } }).delivery, { ...limits, maxDeliveries })).toBe(ends)
    },
  )

  test('trusts nothing of an envelope that cannot be trusted', () => {
    const { delivery } = makeRun({ wire: { expiresAt: 0, attempt: 1e9 } })
    expect(judgeArrival({ ...delivery, invalid: 'its attempt is forged' }, now, limits)).toBe('invalid')
  })
})
