import { missing } from './errors.ts'
import { compareTopology } from './compare-topology.ts'
import { PosthornError } from '../errors.ts'
import type { BrokerParts } from './parts.ts'
import type { PlanItem, Topology } from '../contract/topology.ts'

/** What there is and what is missing; changes nothing. */
export function plan(parts: BrokerParts, namespace: string, topology: Topology): readonly PlanItem[] {
  return compareTopology(parts, namespace, topology).map(({ item }) => item)
}

/** Makes all that is missing, or nothing when something does not fit. */
export function declare(
  parts: BrokerParts,
  namespace: string,
  topology: Topology,
  mode: 'create' | 'check',
): void {
  const wanted = compareTopology(parts, namespace, topology)
  for (const { item } of wanted) {
    if (item.action === 'mismatch') throw mismatch(item)
    if (item.action === 'create' && mode === 'check') throw missing(describe(item))
  }
  for (const { item, make } of wanted) if (item.action === 'create') make()
}

function describe({ kind, part, name }: PlanItem): string {
  return part === 'deadLetters' ? `dead-letter queue of the ${kind} "${name}"` : `${kind} "${name}"`
}

function mismatch(item: PlanItem): PosthornError {
  const show = (value: unknown): string => JSON.stringify(value) ?? 'not set'
  const shown = item.differences.map(
    ({ argument, wanted, found }) => `${argument} is ${show(found)} and not ${show(wanted)}`,
  )
  return new PosthornError(
    'POSTHORN_TOPOLOGY_MISMATCH',
    `The ${describe(item)} exists with other arguments: ${shown.join(', ')}. Declare it as it is, or under another name.`,
    { phase: 'declare' },
  )
}
