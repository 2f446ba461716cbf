import { assignUnits } from './assign-units.ts'
import { readSubscription, writeAssignment, type Unit } from './group-protocol.ts'
import type { Joined } from './protocol/group.ts'

/** What the leader of a group answers: for each member what it is to have. */
export function shareOut(
  { members }: Joined,
  units: readonly Unit[],
): { readonly memberId: string; readonly assignment: Buffer }[] {
  const owners = members.map(({ memberId, metadata }) => ({
    memberId,
    owned: readSubscription(metadata).owned,
  }))
  const shares = assignUnits(
    units.map(({ name }) => name),
    owners,
  )
  return [...shares].map(([memberId, names]) => ({
    memberId,
    assignment: writeAssignment(units.filter(({ name }) => names.includes(name))),
  }))
}
