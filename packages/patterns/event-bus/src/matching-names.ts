/**
 * The names that a pattern matches, word by word as a broker does: `*` is one word, `#` none or more. All names for a
 * pattern that only the running program knows. Distributes over patterns and names.
 */
export type MatchingNames<Pattern extends string, Name extends string> = Pattern extends unknown
  ? IsLiteral<Pattern> extends false
    ? Name
    : Pattern extends '#'
      ? Name
      : Pattern extends `${string}*${string}` | `${string}#${string}`
        ? FilterNames<Pattern, Name>
        : Pattern extends Name
          ? Pattern
          : never
  : never

/** `unknown` where each pattern matches a name; else what names those that do not. */
export type MatchesSome<Pattern extends string, Name extends string> = [Unmatched<Pattern, Name>] extends [
  never,
]
  ? unknown
  : NoEventNameMatches<Unmatched<Pattern, Name>>

type Unmatched<Pattern extends string, Name extends string> = Pattern extends unknown
  ? [MatchingNames<Pattern, Name>] extends [never]
    ? Pattern
    : never
  : never

declare const pattern: unique symbol

/** Nothing is assignable to it, so the compiler shows its name and the pattern. */
export interface NoEventNameMatches<Pattern extends string> {
  readonly [pattern]: Pattern
}

type FilterNames<Pattern extends string, Name extends string> = string extends Name
  ? Name
  : Name extends unknown
    ? Matches<Pattern, Name> extends true
      ? Name
      : never
    : never

type Matches<Pattern extends string, Name extends string> = Pattern extends `${infer Word}.${infer Rest}`
  ? Word extends '#'
    ? MatchesAfterHash<Rest, Name>
    : Name extends `${infer NameWord}.${infer NameRest}`
      ? Word extends '*' | NameWord
        ? Matches<Rest, NameRest>
        : false
      : // Words of none, after the last one.
        Word extends '*' | Name
        ? OnlyHashes<Rest>
        : false
  : Pattern extends '#'
    ? true
    : Name extends `${string}.${string}`
      ? false
      : Pattern extends '*' | Name
        ? true
        : false

/** Whether what follows a `#` matches the name, or any end of it. */
type MatchesAfterHash<Rest extends string, Name extends string> =
  Matches<Rest, Name> extends true
    ? true
    : Name extends `${string}.${infer NameRest}`
      ? MatchesAfterHash<Rest, NameRest>
      : OnlyHashes<Rest>

type OnlyHashes<Pattern extends string> = Pattern extends '#'
  ? true
  : Pattern extends `#.${infer Rest}`
    ? OnlyHashes<Rest>
    : false

/** False for `string` and for template literals with holes: what they are is known when the program runs. */
type IsLiteral<Text extends string> = {} extends Record<Text, unknown> ? false : true
