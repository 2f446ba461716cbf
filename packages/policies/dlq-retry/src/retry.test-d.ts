import type { Middleware, Transport } from '@posthorn/transport'
import { exponential } from '@posthorn/transport'
import { expectTypeOf, test } from 'vitest'
import { explain, retry, type FailureRule, type RetryPolicy } from './index.ts'

declare const transport: Transport

test('a policy is a middleware', () => {
  expectTypeOf(retry()).toExtend<Middleware>()
  expectTypeOf(retry).returns.toEqualTypeOf<RetryPolicy>()
  void transport.consume('orders', () => {}, { use: [retry({ backoff: exponential() })] })
  expectTypeOf(explain(retry())).toBeString()
})

test('run answers what the function does', () => {
  const policy = retry()
  expectTypeOf(policy.run(() => 5)).resolves.toBeNumber()
  expectTypeOf(policy.run(async ({ attempt }) => ({ attempt }))).resolves.toEqualTypeOf<{ attempt: number }>()
  void policy.run(({ signal }) => fetch('http://localhost', { signal }))
})

test('backoff takes its four forms and nothing else', () => {
  retry({ backoff: { baseMs: 5, factor: 1.5 } })
  retry({ backoff: 5 })
  retry({ backoff: [5, 10] as const })
  retry({ backoff: (attempt, random) => attempt * random() })
  // @ts-expect-error A word is none.
  retry({ backoff: 'exponential' })
  // @ts-expect-error Nor is another field.
  retry({ backoff: { base: 5 } })
})

test('rules know classes of errors from functions', () => {
  class Declined extends Error {
    readonly card: string
    constructor(card: string) {
      super(card)
      this.card = card
    }
  }
  const rule: FailureRule = { errors: [Declined, TypeError], codes: ['E', 404], types: 'a.#', retry: false }
  retry({ when: [rule, { test: (error, message) => message?.type === String(error) }] })
  // @ts-expect-error A predicate goes into `test`.
  retry({ when: [{ errors: () => true }] })
})
