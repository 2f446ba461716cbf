/** A member of a group and the units that it has now. */
export interface Owner {
  readonly memberId: string
  readonly owned: readonly string[]
}

/**
 * Which units each member is to have: evenly, each kind (the word before the number in `kind:number`) by itself, and with as
 * few moves as can be. What somebody else has still is given to nobody: its owner gives it up first, and joins again.
 */
export function assignUnits(
  units: readonly string[],
  members: readonly Owner[],
): ReadonlyMap<string, readonly string[]> {
  const result = new Map<string, string[]>(members.map(({ memberId }) => [memberId, []]))
  const kinds = new Map<string, string[]>()
  for (const unit of units) {
    const kind = unit.slice(0, unit.indexOf(':'))
    kinds.set(kind, [...(kinds.get(kind) ?? []), unit])
  }
  const order = [...members].sort((left, right) => (left.memberId < right.memberId ? -1 : 1))
  for (const own of kinds.values()) assignKind(own, order, result)
  return result
}

function assignKind(
  units: readonly string[],
  members: readonly Owner[],
  result: ReadonlyMap<string, string[]>,
): void {
  const holder = new Map<string, string>()
  for (const { memberId, owned } of members) {
    for (const unit of owned) if (!holder.has(unit)) holder.set(unit, memberId)
  }
  const held = (memberId: string): string[] => units.filter((unit) => holder.get(unit) === memberId)
  const least = Math.floor(units.length / members.length)
  let larger = units.length % members.length
  const targets = new Map<string, string[]>()
  // Who has most keeps most.
  const byHeld = [...members].sort((left, right) => held(right.memberId).length - held(left.memberId).length)
  for (const { memberId } of byHeld) {
    const own = held(memberId)
    const quota = larger > 0 && own.length > least ? least + 1 : least
    if (quota > least) larger -= 1
    targets.set(memberId, own.slice(0, quota))
  }
  const kept = new Set([...targets.values()].flat())
  const open = units.filter((unit) => !kept.has(unit))
  for (const unit of open) {
    let next: string[] | undefined
    let nextId = ''
    for (const { memberId } of members) {
      const target = targets.get(memberId)!
      if (next === undefined || target.length < next.length) [next, nextId] = [target, memberId]
    }
    next!.push(unit)
    const holderId = holder.get(unit)
    if (holderId === undefined || holderId === nextId) result.get(nextId)!.push(unit)
  }
  for (const { memberId } of members) {
    const own = result.get(memberId)!
    for (const unit of targets.get(memberId)!) if (kept.has(unit)) own.push(unit)
  }
}
