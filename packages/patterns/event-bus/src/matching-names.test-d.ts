import { describe, expectTypeOf, test } from 'vitest'
import type { MatchingNames } from './matching-names.ts'

type Name =
  | 'order'
  | 'order.created'
  | 'order.paid'
  | 'order.item.added'
  | 'user.created'
  | 'user.item.removed'

describe('the names that a pattern matches', () => {
  test('a name matches itself', () => {
    expectTypeOf<MatchingNames<'order.created', Name>>().toEqualTypeOf<'order.created'>()
    expectTypeOf<MatchingNames<'order', Name>>().toEqualTypeOf<'order'>()
    expectTypeOf<MatchingNames<'order.create', Name>>().toEqualTypeOf<never>()
  })

  test('* is exactly one word, wherever it stands', () => {
    expectTypeOf<MatchingNames<'*', Name>>().toEqualTypeOf<'order'>()
    expectTypeOf<MatchingNames<'order.*', Name>>().toEqualTypeOf<'order.created' | 'order.paid'>()
    expectTypeOf<MatchingNames<'*.created', Name>>().toEqualTypeOf<'order.created' | 'user.created'>()
    expectTypeOf<MatchingNames<'*.item.*', Name>>().toEqualTypeOf<'order.item.added' | 'user.item.removed'>()
    expectTypeOf<MatchingNames<'*.*.*.*', Name>>().toEqualTypeOf<never>()
  })

  test('# is none or more words, wherever it stands', () => {
    expectTypeOf<MatchingNames<'#', Name>>().toEqualTypeOf<Name>()
    expectTypeOf<MatchingNames<'order.#', Name>>().toEqualTypeOf<
      'order' | 'order.created' | 'order.paid' | 'order.item.added'
    >()
    expectTypeOf<MatchingNames<'#.created', Name>>().toEqualTypeOf<'order.created' | 'user.created'>()
    expectTypeOf<MatchingNames<'#.item.#', Name>>().toEqualTypeOf<'order.item.added' | 'user.item.removed'>()
    expectTypeOf<MatchingNames<'order.#.added', Name>>().toEqualTypeOf<'order.item.added'>()
    expectTypeOf<MatchingNames<'#.order', Name>>().toEqualTypeOf<'order'>()
    expectTypeOf<MatchingNames<'#.#', Name>>().toEqualTypeOf<Name>()
    expectTypeOf<MatchingNames<'order.#.#', Name>>().toEqualTypeOf<
      'order' | 'order.created' | 'order.paid' | 'order.item.added'
    >()
    expectTypeOf<MatchingNames<'#.*', Name>>().toEqualTypeOf<Name>()
    expectTypeOf<MatchingNames<'*.#.*', Name>>().toEqualTypeOf<Exclude<Name, 'order'>>()
    expectTypeOf<MatchingNames<'#.paid.#', Name>>().toEqualTypeOf<'order.paid'>()
  })

  test('several patterns match what each of them does', () => {
    expectTypeOf<MatchingNames<'order' | '*.paid', Name>>().toEqualTypeOf<'order' | 'order.paid'>()
  })

  test('a pattern that only the running program knows may match any', () => {
    expectTypeOf<MatchingNames<string, Name>>().toEqualTypeOf<Name>()
    expectTypeOf<MatchingNames<`order.${string}`, Name>>().toEqualTypeOf<Name>()
  })

  test('a star that is not alone in its word is a letter', () => {
    expectTypeOf<MatchingNames<'order.pai*', Name>>().toEqualTypeOf<never>()
    expectTypeOf<MatchingNames<'ord#', Name>>().toEqualTypeOf<never>()
  })
})
