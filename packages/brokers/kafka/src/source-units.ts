import { readyCount, readyPartition, stepCount } from './delay-steps.ts'
import type { Cluster } from './cluster.ts'
import type { Unit } from './group-protocol.ts'
import type { SourceNames } from './names.ts'

/** What the members of a source's group share: its partitions, and the delay steps that are to be moved on. */
export function sourceUnits(cluster: Cluster, { topic, retry, delayed }: SourceNames): Unit[] {
  const units: Unit[] = []
  const ready = readyCount(cluster.partitionCount(retry))
  for (let partition = 0; partition < cluster.partitionCount(topic); partition++) {
    const partitions = [{ topic, partition }]
    // The last one is the source itself; what comes back goes first.
    if (partition < ready) partitions.unshift({ topic: retry, partition: readyPartition(partition, ready) })
    units.push({ name: `slot:${partition}`, partitions })
  }
  const steps = (kind: string, of: string | undefined): void => {
    const count = of === undefined ? 0 : Math.min(stepCount, cluster.partitionCount(of))
    for (let step = 0; step < count; step++) {
      units.push({ name: `${kind}:${step}`, partitions: [{ topic: of!, partition: step }] })
    }
  }
  steps('step', retry)
  steps('delay', delayed)
  return units
}
