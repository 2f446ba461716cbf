import { missing } from './errors.ts'
import { readStored } from './stored-message.ts'
import type { BrokerParts } from './parts.ts'
import type { Queue } from './queue.ts'
import type { StoredMessage } from './stored-message.ts'
import type { Depth } from '../contract/depth.ts'

/** What `transport.native` is on the in-memory broker: a look inside that changes nothing. Names are the broker's own. */
export interface MemoryNative {
  readonly version: string
  /** Queues, dead-letter queues, and groups as `<topic>/<group>`. */
  sources(): readonly string[]
  topics(): readonly string[]
  /** Throws `POSTHORN_TOPOLOGY_MISSING` when there is no such source. */
  depth(source: string): Depth
  /** Everything that a source holds, whatever its state. Throws as `depth` does. */
  messages(source: string): readonly StoredMessage[]
}

export function createNative(parts: BrokerParts): MemoryNative {
  const find = (source: string): Queue => {
    const queue = parts.queues.get(source)
    if (queue === undefined) throw missing(`source "${source}"`)
    return queue
  }
  const depthOf = (queue: Queue): Depth => queue.depth(queue.arguments.deadLetterQueue)
  return {
    version: parts.settings.version,
    sources: () => [...parts.queues.keys()],
    topics: () => [...parts.topics.keys()],
    depth: (source) => depthOf(find(source)),
    messages: (source) => readStored(find(source), parts),
  }
}
