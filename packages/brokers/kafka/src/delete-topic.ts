import { throwOnError } from './errors.ts'
import { deleteTopics } from './protocol/topics.ts'
import { kafkaErrors } from './protocol/error-names.ts'
import type { Cluster } from './cluster.ts'

/** Milliseconds. */
const timeoutMs = 5_000
const pauseMs = 20

/** Deletes a topic; resolves when it is known to be gone. */
export async function deleteTopic(cluster: Cluster, topic: string): Promise<void> {
  const results = await cluster.persist(() => cluster.askController(deleteTopics([topic], timeoutMs)))
  for (const { error } of results) {
    if (error !== kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION) throwOnError(error, `DeleteTopics of ${topic}`)
  }
  const until = cluster.clock.now() + timeoutMs
  do {
    await cluster.refresh([topic])
    if (cluster.isMissing(topic)) return
    await cluster.pause(pauseMs)
  } while (cluster.clock.now() < until)
}
