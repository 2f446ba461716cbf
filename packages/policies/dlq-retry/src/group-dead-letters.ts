import type { DeadLetter } from '@posthorn/transport'

/** Dead letters of one handler that failed in the same way. */
export interface DeadLetterGroup {
  readonly reason: string
  readonly errorName: string | undefined
  readonly errorCode: string | undefined
  readonly handler: string | undefined
  readonly count: number
  /** How many of each type, for the first ten types. */
  readonly types: Readonly<Record<string, number>>
  /** Epoch milliseconds, of being dead-lettered. */
  readonly firstAt: number
  readonly lastAt: number
  /** The newest of them. */
  readonly example: {
    readonly entryId: string
    readonly id: string
    readonly errorMessage: string | undefined
  }
}

export interface DeadLetterGroups {
  /** The largest first. */
  readonly groups: readonly DeadLetterGroup[]
  /** Dead letters in none of them, since there are too many kinds. */
  readonly ungrouped: number
}

export const maxGroups = 1_000
const maxTypes = 10

type Mutable<Type> = { -readonly [Name in keyof Type]: Type[Name] }

/** Gathers groups, in memory that does not grow with the number of dead letters. */
export class DeadLetterGrouping {
  private readonly groups = new Map<string, Mutable<DeadLetterGroup> & { types: Record<string, number> }>()
  private ungrouped = 0

  add(entry: DeadLetter): void {
    const { reason, error, handler, deadLetteredAt, type } = entry
    const key = JSON.stringify([reason, error?.name, error?.code, handler])
    let group = this.groups.get(key)
    if (group === undefined) {
      if (this.groups.size >= maxGroups) {
        this.ungrouped++
        return
      }
      group = {
        reason,
        errorName: error?.name,
        errorCode: error?.code,
        handler,
        count: 0,
        types: Object.create(null) as Record<string, number>,
        firstAt: deadLetteredAt,
        lastAt: deadLetteredAt,
        example: exampleOf(entry),
      }
      this.groups.set(key, group)
    }
    group.count++
    group.firstAt = Math.min(group.firstAt, deadLetteredAt)
    if (deadLetteredAt >= group.lastAt) {
      group.lastAt = deadLetteredAt
      group.example = exampleOf(entry)
    }
    if (type in group.types || Object.keys(group.types).length < maxTypes)
      group.types[type] = (group.types[type] ?? 0) + 1
  }

  result(): DeadLetterGroups {
    const groups = [...this.groups.values()].toSorted((a, b) => b.count - a.count)
    return { groups, ungrouped: this.ungrouped }
  }
}

function exampleOf({ entryId, id, error }: DeadLetter): DeadLetterGroup['example'] {
  return { entryId, id, errorMessage: error?.message }
}
