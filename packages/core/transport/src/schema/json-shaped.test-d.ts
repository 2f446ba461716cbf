import { describe, expectTypeOf, test } from 'vitest'
import type { JsonData, JsonMap, NotJson } from './json-shaped.ts'

interface Tree {
  readonly label: string
  readonly children: readonly Tree[]
}
type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** True when the data may be sent as it is. */
type Fits<Data> = Data extends JsonData<Data> ? true : false

describe('what survives JSON', () => {
  test('plain values, objects, arrays, tuples and unions do', () => {
    expectTypeOf<Fits<string>>().toEqualTypeOf<true>()
    expectTypeOf<Fits<'a' | 1 | true | null>>().toEqualTypeOf<true>()
    expectTypeOf<Fits<{ a: string; b?: number; c: { d: string[] }[] }>>().toEqualTypeOf<true>()
    expectTypeOf<Fits<readonly [string, number]>>().toEqualTypeOf<true>()
    expectTypeOf<Fits<{ kind: 'a'; a: string } | { kind: 'b'; b: string }>>().toEqualTypeOf<true>()
    expectTypeOf<Fits<Record<string, number>>>().toEqualTypeOf<true>()
    expectTypeOf<Fits<{ a: string | undefined }>>().toEqualTypeOf<true>()
  })

  test('branded strings and recursive types do', () => {
    expectTypeOf<Fits<{ id: string & { readonly brand: 'id' } }>>().toEqualTypeOf<true>()
    expectTypeOf<Fits<Tree>>().toEqualTypeOf<true>()
    expectTypeOf<Fits<Json>>().toEqualTypeOf<true>()
  })

  test('what the compiler cannot see into is let through', () => {
    expectTypeOf<Fits<unknown>>().toEqualTypeOf<true>()
    expectTypeOf<Fits<{ a: unknown }>>().toEqualTypeOf<true>()
  })

  test('bytes do, as the whole data', () => {
    expectTypeOf<Fits<Uint8Array>>().toEqualTypeOf<true>()
    expectTypeOf<Fits<{ bytes: Uint8Array }>>().toEqualTypeOf<false>()
    expectTypeOf<Fits<Buffer>>().toEqualTypeOf<false>()
  })

  test('dates, maps, sets, functions, classes, bigints, symbols and undefined do not', () => {
    expectTypeOf<Fits<Date>>().toEqualTypeOf<false>()
    expectTypeOf<Fits<{ a: { b: Date }[] }>>().toEqualTypeOf<false>()
    expectTypeOf<Fits<{ at?: Date }>>().toEqualTypeOf<false>()
    expectTypeOf<Fits<Map<string, string>>>().toEqualTypeOf<false>()
    expectTypeOf<Fits<ReadonlySet<string>>>().toEqualTypeOf<false>()
    expectTypeOf<Fits<{ run: () => void }>>().toEqualTypeOf<false>()
    expectTypeOf<Fits<{ url: URL }>>().toEqualTypeOf<false>()
    expectTypeOf<Fits<{ type: typeof Date }>>().toEqualTypeOf<false>()
    expectTypeOf<Fits<{ n: bigint }>>().toEqualTypeOf<false>()
    expectTypeOf<Fits<{ s: symbol }>>().toEqualTypeOf<false>()
    expectTypeOf<Fits<undefined>>().toEqualTypeOf<false>()
    expectTypeOf<Fits<readonly (string | undefined)[]>>().toEqualTypeOf<false>()
    expectTypeOf<Fits<{ a: string | Date }>>().toEqualTypeOf<false>()
  })

  test('a sentence says what does not, where it stands', () => {
    expectTypeOf<JsonMap<{ email: { at: Date } }>>().toEqualTypeOf<{
      readonly email: {
        readonly at: NotJson<'A Date arrives as a string: use string, and send date.toISOString()'>
      }
    }>()
  })
})
