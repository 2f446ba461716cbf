import type { Cluster } from './cluster.ts'
import type { NodeAddress } from './client/kafka-client.ts'
import type { TopicPartition } from './protocol/request.ts'

/** Milliseconds after which a leader that does not answer is looked at. */
const stallMs = 1_000

/**
 * Until the answered function is called: whenever the leader has not answered for long, tells `onStall` and asks who leads the
 * partitions now. When it is another one, the connection is given up, and with it the request.
 */
export function watchLeader(
  cluster: Cluster,
  node: number,
  address: NodeAddress,
  purpose: string,
  partitions: () => readonly TopicPartition[],
  onStall: () => void = () => undefined,
): () => void {
  let isAnswered = false
  let cancel: () => void = () => undefined
  const arm = (): void => {
    cancel = cluster.clock.setTimer(() => {
      onStall()
      const topics = [...new Set(partitions().map(({ topic }) => topic))]
      void cluster.refresh(topics).then(look, look)
    }, stallMs)
  }
  const look = (): void => {
    if (isAnswered) return
    const leaders = partitions().map((partition) => cluster.leader(partition))
    if (leaders.some((leader) => leader >= 0 && leader !== node)) cluster.endConnections(purpose, address)
    else arm()
  }
  arm()
  return () => {
    isAnswered = true
    cancel()
  }
}
