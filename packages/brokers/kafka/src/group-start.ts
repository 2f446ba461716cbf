import { NoAnswer, throwOnError, topologyMissing } from './errors.ts'
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

/**
 * Fixes where a group starts, unless it has a position already. One that `isOld`, and has none, was forgotten by the brokers:
 * it goes on at the oldest record, and so answers.
 */
export async function startGroup(
  cluster: Cluster,
  { subject, names, from }: WantedGroup,
  mode: 'create' | 'check',
  isOld: boolean,
): Promise<boolean> {
  const isThere = await groupIsThere(cluster, names)
  const isMarked = (await declaredDeadLetters(cluster, names.group)) !== undefined
  const isQueue = subject.kind === 'queue'
  if (mode === 'check') {
    if (isThere || isQueue) return false
    throw topologyMissing(`The group "${names.group}" of the subscription "${subject.name}"`)
  }
  const commits: Commit[] = []
  if (!isMarked)
    commits.push({ topic: names.deadLetters, partition: 0, offset: 0, metadata: deadLettersMark })
  // A queue is read from its beginning, whoever comes first.
  const isForgotten = isOld && !isThere && !(isQueue && isMarked)
  if (!isThere && !isQueue) {
    const start = isForgotten ? 'start' : from
    const starts = await positions(cluster, names.topic, start)
    // What was published with a delay before it was declared is not its own either.
    if (names.delayed !== undefined && cluster.partitionCount(names.delayed) > 0) {
      starts.push(...(await positions(cluster, names.delayed, start)))
    }
    // Others may declare it at the same time: what comes after theirs is its own. Where there is none still, theirs can only
    // be as late as this.
    if (!(await groupIsThere(cluster, names))) commits.push(...starts)
  }
  await commit(cluster, names.group, commits)
  return isForgotten
}

async function commit(cluster: Cluster, group: string, commits: readonly Commit[]): Promise<void> {
  if (commits.length === 0) return
  const request = commitOffsets(group, nobody, commits)
  const results = await cluster.persist(async () => {
    const answer = await cluster.askCoordinator(group, 'main', {
      ...request,
      read(reader) {
        const found = request.read(reader)
        return { error: found.find(({ error }) => error !== kafkaErrors.NONE)?.error ?? 0, results: found }
      },
    })
    for (const { error } of answer.results) {
      // Where the topics were made just now, it may not have heard of them.
      if (error === kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION) {
        throw new NoAnswer(`Its coordinator does not know the topics of the group "${group}"`, true)
      }
      // Then it has members, and so a position.
      if (error !== kafkaErrors.UNKNOWN_MEMBER_ID) throwOnError(error, `OffsetCommit of ${group}`)
    }
    return answer.results
  })
  if (results.length !== commits.length) throwOnError(kafkaErrors.UNKNOWN_SERVER_ERROR, group)
}

async function positions(cluster: Cluster, topic: string, from: WantedGroup['from']): Promise<Commit[]> {
  const partitions = Array.from({ length: cluster.partitionCount(topic) }, (_, partition) => partition)
  const at = async (time: number): Promise<Map<number, number>> => {
    const found = await cluster.askLeaders(
      partitions.map((partition) => ({ topic, partition, time })),
      (wanted) => listOffsets(wanted),
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
