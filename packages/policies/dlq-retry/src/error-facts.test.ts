import { PosthornError } from '@posthorn/transport'
import { describe, expect, test } from 'vitest'
import { causesOf, codeOf, retryAfterOf, saysNeverAgain } from './error-facts.ts'

const hostile = new Proxy(
  {},
  {
    get() {
      throw new Error('no')
    },
  },
)

describe('what is read of an error', () => {
  test('its causes, five at most, and each once', () => {
    const root = new Error('root')
    const middle = new Error('middle', { cause: root })
    expect(causesOf(new Error('top', { cause: middle })).slice(1)).toEqual([middle, root])
    root.cause = middle
    expect(causesOf(middle)).toEqual([middle, root])
    let deep = new Error('0')
    for (let depth = 1; depth < 50; depth++) deep = new Error(String(depth), { cause: deep })
    expect(causesOf(deep).length).toBe(5)
  })

  test('its code, as text', () => {
    expect([{ code: 'E' }, { code: 404 }, { code: {} }, {}, null, 'E'].map(codeOf)).toEqual([
      'E',
      '404',
      undefined,
      undefined,
      undefined,
      undefined,
    ])
  })

  test('the wait that it, or its cause, asks for', () => {
    const limited = Object.assign(new Error('slow down'), { retryAfterMs: 5_000 })
    expect(retryAfterOf(limited)).toBe(5_000)
    expect(retryAfterOf(new Error('failed', { cause: limited }))).toBe(5_000)
    expect(retryAfterOf({ retryAfterMs: Number.NaN })).toBeUndefined()
    expect(retryAfterOf({ retryAfterMs: -1 })).toBeUndefined()
    expect(retryAfterOf({ retryAfterMs: '5' })).toBeUndefined()
  })

  test.each([[hostile], [undefined], [null], [5], [Symbol('x')]])(
    'nothing, and no throw, of what is none (%#)',
    (value) => {
      expect([causesOf(value).length, codeOf(value), retryAfterOf(value), saysNeverAgain(value)]).toEqual([
        1,
        undefined,
        undefined,
        false,
      ])
    },
  )

  test.each([
    ['POSTHORN_INVALID_DATA', false, true],
    ['POSTHORN_TIMEOUT', true, false],
    // What a stop interrupts is for the next process.
    ['POSTHORN_CLOSED', false, false],
    ['POSTHORN_ABORTED', false, false],
    ['POSTHORN_LEASE_LOST', false, false],
  ] as const)('of %s, retryable %s: whether it would fail again is %s', (code, retryable, never) => {
    expect(saysNeverAgain(new PosthornError(code, 'x', { retryable }))).toBe(never)
  })
})
