import fc from 'fast-check'
import { expect, test } from 'vitest'
import { delayedTopic, nativeName, retryTopic, sourceNames } from './names.ts'

test('a queue and a group have these names', () => {
  const queue = { kind: 'queue', name: 'orders', deadLetterQueue: 'orders.dlq', shards: 1 } as const
  expect(sourceNames('', queue)).toEqual({
    topic: 'orders',
    group: 'orders',
    retry: 'orders..retry',
    delayed: undefined,
    deadLetters: 'orders.dlq',
  })
  const group = {
    kind: 'subscription',
    topic: 'events',
    group: 'billing',
    patterns: ['#'],
    deadLetterQueue: 'events/billing.dlq',
    shards: 1,
  } as const
  expect(sourceNames('shop', group)).toEqual({
    topic: 'shop...events',
    group: 'shop...events/billing',
    retry: 'shop...events..billing..retry',
    delayed: 'shop...events..delayed',
    deadLetters: 'shop...events..billing.dlq',
  })
})

test.each(['.orders', 'orders.', 'or..ders', 'events/.billing'])('the name %j is refused', (name) => {
  expect(() => nativeName('', name)).toThrow('cannot be a name on Kafka')
})

test('no two objects have one name', () => {
  const part = fc.stringMatching(/^[ab.-]{1,4}$/).filter((text) => !/^\.|\.$|\.\./.test(text))
  const object = fc.tuple(
    fc.oneof(fc.constant(''), part),
    part,
    fc.option(part, { nil: undefined }),
    fc.constantFrom('main', 'retry', 'delayed'),
  )
  const native = ([namespace, name, group, kind]: [string, string, string | undefined, string]): string => {
    const own = nativeName(namespace, group === undefined ? name : `${name}/${group}`)
    return kind === 'main' ? own : kind === 'retry' ? retryTopic(own) : delayedTopic(own)
  }
  fc.assert(
    fc.property(object, object, (left, right) => {
      expect(native(left) === native(right)).toBe(JSON.stringify(left) === JSON.stringify(right))
    }),
    { numRuns: 2_000 },
  )
})
