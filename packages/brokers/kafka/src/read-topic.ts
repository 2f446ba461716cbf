import { throwOnError } from './errors.ts'
import { fetch } from './protocol/fetch.ts'
import { listOffsets, moments } from './protocol/offsets.ts'
import { readBatches } from './protocol/read-batches.ts'
import type { Cluster } from './cluster.ts'
import type { KafkaRecord } from './protocol/record.ts'

const usualBytes = 4 * 1024 * 1024

/** The first offset of a partition that is kept, and the one after its last. */
export async function endsOf(
  cluster: Cluster,
  topic: string,
  partition: number,
): Promise<{ readonly start: number; readonly end: number }> {
  const at = async (time: number): Promise<number> => {
    const [found] = await cluster.askLeaders([{ topic, partition, time }], (wanted) =>
      listOffsets(wanted, true),
    )
    throwOnError(found!.error, `ListOffsets of ${topic}`)
    return found!.offset
  }
  return { start: await at(moments.start), end: await at(moments.end) }
}

/** Some records from an offset on, a batch at least, and where to go on; none at the end only. */
export async function readFrom(
  cluster: Cluster,
  topic: string,
  partition: number,
  offset: number,
  maxBytes: number = usualBytes,
): Promise<{ readonly records: readonly KafkaRecord[]; readonly nextOffset: number }> {
  const [result] = await cluster.askLeaders([{ topic, partition, offset, maxBytes }], (positions) =>
    fetch(positions, { maxWaitMs: 100, maxBytes }),
  )
  throwOnError(result!.error, `Fetch of ${topic}`)
  return readBatches(result!.bytes, offset, result!.aborted)
}
