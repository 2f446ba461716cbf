import { throwOnError } from './errors.ts'
import { deleteTopics } from './protocol/topics.ts'
import { kafkaErrors } from './protocol/error-names.ts'
import type { Cluster } from './cluster.ts'

/** Milliseconds. */
const timeoutMs = 5_000

/** Deletes a topic; resolves when it is known to be gone. */
export async function deleteTopic(cluster: Cluster, topic: string): Promise<void> {
  const results = await cluster.persist(() => cluster.askController(deleteTopics([topic], timeoutMs)))
  for (const { error } of results) {
    if (error !== kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION) throwOnError(error, `DeleteTopics of ${topic}`)
  }
  await cluster.untilAllKnow([topic], 'gone', timeoutMs)
  await cluster.refresh([topic])
}
