import type { DeadLetter } from '../judge/read-effects.ts'
import type { SourceGroup } from '../run/dead-letters.ts'

const width = 78

/** Dead letters by what went wrong: a line for each group, with the error of the newest, and, with `each`, one for each. */
export function describeDeadLetters(
  groups: readonly SourceGroup[],
  letters: readonly DeadLetter[],
  each: boolean,
): string[] {
  return groups.flatMap((group) => {
    const { count, source, reason, error } = group
    const line = `  ${String(count).padStart(3)}  ${source.padEnd(16)}${reason.padEnd(19)}${error}`
    const members = each ? letters.filter((letter) => isOf(group, letter)) : []
    return [
      cut(line),
      ...members.map((letter) =>
        cut(`         ${letter.id.padEnd(16)}${letter.attempts} x  ${letter.error}`),
      ),
    ]
  })
}

function isOf(group: SourceGroup, { source, reason, handler, error }: DeadLetter): boolean {
  const isSameWay = source === group.source && reason === group.reason && handler === group.handler
  return isSameWay && error?.startsWith(`${group.errorName}: `) === true
}

function cut(line: string): string {
  return line.length > width ? `${line.slice(0, width - 3)}...` : line
}
