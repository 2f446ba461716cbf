import { describe, expect, test } from 'vitest'
import type { Message } from '../contract/message.ts'
import type { Middleware, MiddlewarePhase, MiddlewareRuntime } from '../contract/middleware.ts'
import type { Settlement } from '../contract/settlement.ts'
import { compose, defaultRetry, sortMiddleware, terminal } from './chain.ts'
import { makeRun } from '../../test/make-run.ts'
import { ack, releaseAfter } from './settlement.ts'

const none = {} as MiddlewareRuntime
const run = makeRun()
const message = { id: 'a' } as Message

function logging(name: string, phase: MiddlewarePhase, log: string[]): Middleware {
  return {
    name,
    phase,
    wrap: (next) => (one, context) => {
      log.push(name)
      return next(one, context)
    },
  }
}

describe('sortMiddleware', () => {
  test('puts the phases from the outside to the handler, and keeps the given order within one', () => {
    const given = (['once', 'guard', 'observe', 'retry', 'guard'] as const).map((phase, index) =>
      logging(`${phase} ${index}`, phase, []),
    )
    expect(sortMiddleware(given, 'x').map(({ name }) => name)).toEqual([
      'observe 2',
      'retry 3',
      'guard 1',
      'guard 4',
      'once 0',
    ])
    expect(given[0]?.phase).toBe('once')
  })

  test('refuses two retry policies, naming both', () => {
    const given = ['one', 'two'].map((name) => logging(name, 'retry', []))
    expect(() => sortMiddleware(given, 'consume("orders")')).toThrow(
      'consume("orders").use has 2 retry policies ("one", "two")',
    )
  })
})

describe('compose', () => {
  test('calls the first one first, and answers at once when nobody makes a promise', () => {
    const log: string[] = []
    const chain = compose(
      [logging('one', 'guard', log), logging('two', 'guard', log)],
      terminal(() => 'done'),
      () => none,
    )
    expect(chain(message, run)).toMatchObject({ verb: 'ack', value: 'done' })
    expect(log).toEqual(['one', 'two'])
  })

  test('gives each middleware its own runtime', () => {
    const seen: string[] = []
    const one = logging('one', 'guard', [])
    compose(
      [{ ...one, wrap: (next, { source }) => (seen.push(source), next) }],
      terminal(() => 1),
      ({ name }) => ({ ...none, source: name }),
    )
    expect(seen).toEqual(['one'])
  })

  test.each<[string, () => unknown]>([
    ['nothing', () => undefined],
    ['a promise of nothing', () => Promise.resolve()],
    ['a verb that is no settlement', () => ({ verb: 'ack' })],
  ])('refuses %s as the answer of a middleware', async (_, answer) => {
    const forgetful: Middleware = { name: 'forgetful', phase: 'guard', wrap: () => answer as never }
    const chain = compose(
      [forgetful],
      terminal(() => 1),
      () => none,
    )
    await expect((async () => chain(message, run))()).rejects.toThrow(
      'Middleware "forgetful" answered with something that is no settlement',
    )
  })

  test('refuses a middleware that wraps into something that cannot be called', () => {
    const broken: Middleware = { name: 'broken', phase: 'guard', wrap: () => undefined as never }
    expect(() =>
      compose(
        [broken],
        terminal(() => 1),
        () => none,
      ),
    ).toThrow('Middleware "broken" wrapped the handler into undefined')
  })
})

describe('terminal', () => {
  test('takes whatever can be awaited as a promise', async () => {
    class Later {
      // oxlint-disable-next-line unicorn/no-thenable -- that is what it is about
      then(resolve: (value: unknown) => void): void {
        resolve('later')
      }
    }
    const thenable = new Later()
    const result = terminal(() => thenable)(message, run)
    expect(result).toBeInstanceOf(Promise)
    expect(await result).toMatchObject({ verb: 'ack', value: 'later' })
  })

  test('passes settlements on', async () => {
    const release = releaseAfter(5)
    expect(terminal(() => release)(message, run)).toBe(release)
    expect(await terminal(async () => release)(message, run)).toBe(release)
    expect(terminal(() => undefined)(message, run)).toBe(ack)
  })
})

describe('the default retry policy', () => {
  test.each<[string, () => Settlement | Promise<Settlement>]>([
    [
      'throws',
      () => {
        throw new Error('no')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no'))],
  ])('turns what %s into a retry, so that observers see a settlement', async (_, next) => {
    const settlement = await defaultRetry.wrap(next, none)(message, run)
    expect(settlement).toMatchObject({ verb: 'retry', delayMs: undefined, error: new Error('no') })
  })
})
