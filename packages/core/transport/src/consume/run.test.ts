import { describe, expect, test } from 'vitest'
import type { Context } from '../contract/context.ts'
import type { HandlerOutput } from '../contract/middleware.ts'
import { PosthornError } from '../errors.ts'
import { HeldScope } from './held-scope.ts'
import { makeRun } from '../../test/make-run.ts'
import { Run } from './run.ts'

const reason = new PosthornError('POSTHORN_CLOSED', 'closing')

describe('the context of a handler', () => {
  test('tells of the delivery', () => {
    const run = makeRun({ deliveries: 3, wire: { id: 'order-1', attempt: 2 } })
    const { attempt, deliveries, source, idempotencyKey, lease } = run
    expect({ attempt, deliveries, source, idempotencyKey, lost: lease.lost }).toEqual({
      attempt: 2,
      deliveries: 3,
      source: 'orders',
      idempotencyKey: 'order-1',
      lost: false,
    })
    expect(makeRun({ wire: { id: 'made-up', idMadeUp: true } }).idempotencyKey).toBeUndefined()
  })

  test('says when its sender wanted it handled, on a first attempt', () => {
    const due = (wire: Parameters<typeof makeRun>[0] & object): number | undefined => makeRun(wire).dueAt
    expect([
      due({ wire: { time: 1_000, notBefore: 4_000 } }),
      due({ wire: { time: 1_000, notBefore: undefined } }),
      due({ wire: { time: 1_000, attempt: 2 } }),
      due({ wire: { time: 1_000, replays: 1 } }),
    ]).toEqual([4_000, 1_000, undefined, undefined])
  })

  test('makes a signal when it is asked for, aborted already where it should be', () => {
    const [before, after] = [makeRun(), makeRun()]
    const { signal } = before
    before.abort(reason)
    after.abort(reason)
    expect([signal.aborted, signal.reason, before.signal]).toEqual([true, reason, signal])
    expect([after.signal.aborted, after.signal.reason]).toEqual([true, reason])
  })

  test('keeps the first reason of an abort', () => {
    const run = makeRun()
    run.abort(reason)
    run.lose(new PosthornError('POSTHORN_LEASE_LOST', 'gone'))
    expect([run.signal.reason, run.lease.lost]).toEqual([reason, true])
  })

  test('is new for the next attempt of the same delivery', () => {
    const run = makeRun()
    const { signal } = run
    run.abort(reason)
    run.timedOut = true
    run.renew()
    expect([run.signal.aborted, run.timedOut, signal.aborted]).toEqual([false, false, true])
    expect(run.signal).not.toBe(signal)
  })

  test('sends under the same ids on each attempt of one delivery', async () => {
    const ordinals: number[] = []
    const owner = { source: 'orders', output: async (_: Run, ordinal: number) => void ordinals.push(ordinal) }
    const run = new Run(owner, new HeldScope({ name: 'scope' }, undefined, 3), makeRun().delivery, 0)
    for (let attempt = 1; attempt <= 2; attempt++) {
      await run.send('invoices', { data: 1 })
      await run.send('invoices', { data: 2 })
      run.renew()
    }
    expect(ordinals).toEqual([0, 1, 0, 1])
  })

  test('shares its state with what a middleware derives from it', async () => {
    const outputs: [number, HandlerOutput][] = []
    const owner = {
      source: 'orders',
      output: async (_: Run, ordinal: number, output: HandlerOutput) => {
        outputs.push([ordinal, output])
      },
    }
    const made = makeRun()
    const run = new Run(owner, new HeldScope({ name: 'scope' }, undefined, 3), made.delivery, 0)
    const derived = Object.create(run) as Context
    await derived.send('invoices', { data: 1 })
    await run.publish('events', { data: 2 })
    expect(outputs.map(([ordinal, { kind, destination }]) => [ordinal, kind, destination])).toEqual([
      [0, 'send', 'invoices'],
      [1, 'publish', 'events'],
    ])
    const redirected: unknown[] = []
    ;(derived as Run).redirect(async (output) => void redirected.push(output.destination))
    await run.send('elsewhere', { data: 3 })
    expect(redirected).toEqual(['elsewhere'])
    const { signal } = derived
    run.abort(reason)
    expect(signal.aborted).toBe(true)
  })

  test.each([Number.NaN, -1, Infinity, '5' as never])('refuses a delay of %s', (delayMs) => {
    const run = makeRun()
    expect(() => run.retry({ delayMs })).toThrow(
      `context.retry({ delayMs }) takes milliseconds from 0, and got ${String(delayMs)}`,
    )
    expect(() => run.release({ delayMs })).toThrow('context.release({ delayMs })')
  })

  test('tells when the first of its failures was', () => {
    expect(makeRun().firstFailedAt).toBeUndefined()
    expect(makeRun({ wire: { attempt: 3, firstFailedAt: 5_000 } }).firstFailedAt).toBe(5_000)
  })

  test('makes settlements', () => {
    const run = makeRun()
    expect(run.retry()).toMatchObject({ verb: 'retry', delayMs: undefined, error: undefined })
    expect(run.release()).toMatchObject({ verb: 'release', delayMs: 0 })
    expect(run.deadLetter({ reason: 'no', error: reason })).toMatchObject({
      verb: 'deadLetter',
      reason: 'no',
      error: reason,
    })
  })
})
