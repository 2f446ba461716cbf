import type { DeadLetter } from '../judge/read-effects.ts'

const width = 78

/** Dead letters by source and reason, a line for each with the error of the first. */
export function describeDeadLetters(letters: readonly DeadLetter[]): string[] {
  const groups = new Map<string, { readonly first: DeadLetter; count: number }>()
  for (const letter of letters) {
    const group = groups.get(`${letter.source} ${letter.reason}`)
    if (group === undefined) groups.set(`${letter.source} ${letter.reason}`, { first: letter, count: 1 })
    else group.count++
  }
  return [...groups.values()].map(({ first, count }) => {
    const line = `  ${String(count).padStart(3)}  ${first.source.padEnd(16)}${(first.reason ?? '').padEnd(19)}${first.error ?? ''}`
    return line.length > width ? `${line.slice(0, width - 3)}...` : line
  })
}
