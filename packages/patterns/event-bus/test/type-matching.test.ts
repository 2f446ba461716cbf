import { matchesPattern } from '@posthorn/transport'
import { expect, test } from 'vitest'
import { compile } from './compile.ts'

/** Every text of 1 to `length` of the words, with dots between them. */
function everyText(words: readonly string[], length: number): string[] {
  let texts = [...words]
  const all = [...texts]
  for (let size = 2; size <= length; size += 1) {
    texts = texts.flatMap((text) => words.map((word) => `${text}.${word}`))
    all.push(...texts)
  }
  return all
}

test('the types match every short pattern as the broker does', { timeout: 60_000 }, async () => {
  const names = everyText(['a', 'b'], 4)
  const patterns = everyText(['a', 'b', '*', '#'], 4)
  const union = (texts: readonly string[]): string => texts.map((text) => `'${text}'`).join(' | ') || 'never'
  const rows = patterns.map((pattern) => {
    const matching = names.filter((name) => matchesPattern(pattern, name))
    return `  same<MatchingNames<'${pattern}', Name>, ${union(matching)}>(),`
  })
  const program = [
    `type Name = ${union(names)}`,
    'declare function same<A, B>(...same: [A] extends [B] ? ([B] extends [A] ? [] : [B]) : [A]): void',
    `void [\n${rows.join('\n')}\n]`,
  ]
  expect([names.length, patterns.length]).toEqual([30, 340])
  expect((await compile(program.join('\n'))).errors).toEqual([])

  // The comparison itself can fail.
  const wrong = [program[0], program[1], `same<MatchingNames<'a.#', Name>, 'a'>()`].join('\n')
  expect((await compile(wrong)).errors).toHaveLength(1)
})
