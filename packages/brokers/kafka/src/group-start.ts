import { throwOnError, topologyMissing } from './errors.ts'
import { kafkaErrors } from './protocol/error-names.ts'
import { commitOffsets, listOffsets, moments, nobody, type Commit } from './protocol/offsets.ts'
import { committedOffsets } from './committed-offsets.ts'
import type { Cluster } from './cluster.ts'
import type { SourceNames } from './names.ts'
import type { WantedGroup } from './wanted-objects.ts'

/** Whether the group has a position in its topic. */
export async function groupIsThere(cluster: Cluster, { group, topic }: SourceNames): Promise<boolean> {
  const offsets = await committedOffsets(cluster, group, 'all')
  return offsets.some((one) => one.topic === topic && one.offset >= 0)
}

/** Where a source's dead letters go is kept with its group's positions: as one in that topic, with this as its metadata. */
const deadLettersMark = 'posthorn: dead letters'

/** The topic that the source's dead letters go to, as far as it was declared. */
export async function declaredDeadLetters(cluster: Cluster, group: string): Promise<string | undefined> {
  const offsets = await committedOffsets(cluster, group, 'all')
  return offsets.find(({ metadata }) => metadata === deadLettersMark)?.topic
}

/** Fixes where a group starts, unless it has a position already. */
export async function startGroup(
  cluster: Cluster,
  { subject, names, from }: WantedGroup,
  mode: 'create' | 'check',
): Promise<void> {
  const isThere = await groupIsThere(cluster, names)
  const commits: Commit[] = []
  if (mode === 'create' && (await declaredDeadLetters(cluster, names.group)) === undefined) {
    commits.push({ topic: names.deadLetters, partition: 0, offset: 0, metadata: deadLettersMark })
  }
  // A queue is read from its beginning, whoever comes first.
  if (!isThere && subject.kind !== 'queue') {
    if (mode === 'check')
      throw topologyMissing(`The group "${names.group}" of the subscription "${subject.name}"`)
    commits.push(...(await positions(cluster, names.topic, from)))
    // What was published with a delay before it was declared is not its own either.
    if (names.delayed !== undefined && cluster.partitionCount(names.delayed) > 0) {
      commits.push(...(await positions(cluster, names.delayed, from)))
    }
  }
  if (commits.length === 0) return
  const request = commitOffsets(names.group, nobody, commits)
  const results = await cluster.persist(async () => {
    const answer = await cluster.askCoordinator(names.group, 'main', {
      ...request,
      read: (reader) => ({ error: kafkaErrors.NONE, results: request.read(reader) }),
    })
    for (const { error } of answer.results) {
      // Then it has members, and so a position.
      if (error !== kafkaErrors.UNKNOWN_MEMBER_ID) throwOnError(error, `OffsetCommit of ${names.group}`)
    }
    return answer.results
  })
  if (results.length !== commits.length) throwOnError(kafkaErrors.UNKNOWN_SERVER_ERROR, names.group)
}

async function positions(cluster: Cluster, topic: string, from: WantedGroup['from']): Promise<Commit[]> {
  const partitions = Array.from({ length: cluster.partitionCount(topic) }, (_, partition) => partition)
  const at = async (time: number): Promise<Map<number, number>> => {
    const found = await cluster.askLeaders(
      partitions.map((partition) => ({ topic, partition, time })),
      listOffsets,
    )
    for (const { error } of found) throwOnError(error, `ListOffsets of ${topic}`)
    return new Map(found.map(({ partition, offset }) => [partition, offset]))
  }
  const wanted = await at(from === 'start' ? moments.start : from === 'end' ? moments.end : from)
  // -1 where nothing is as late as the moment.
  const isOpen = [...wanted.values()].some((offset) => offset < 0)
  const ends = isOpen ? await at(moments.end) : wanted
  return partitions.map((partition) => {
    const offset = wanted.get(partition) ?? -1
    return { topic, partition, offset: offset < 0 ? (ends.get(partition) ?? 0) : offset, metadata: '' }
  })
}
