import { missing } from './errors.ts'
import { readStored, takeStored } from './stored-message.ts'
import { createIdFactory } from '../message/create-id.ts'
import { readEnvelope } from '../message/wire-headers.ts'
import type { NativeFields } from '../message/wire-headers.ts'
import type { BrokerParts } from './parts.ts'
import type { StoredMessage } from './stored-message.ts'

/** A message as a program without Posthorn would send it. */
export interface RawMessage {
  readonly body: Uint8Array
  /** Whatever the program writes there; nothing is checked. */
  readonly headers?: Readonly<Record<string, unknown>>
  /** What other brokers have native properties for. */
  readonly properties?: NativeFields
  /** `false`: its position identifies it no more than on a broker that gives none. Default true. */
  readonly hasPosition?: boolean
}

/** The broker as seen by a program without Posthorn. Names are the broker's own, groups are `<topic>/<group>`. */
export interface MemoryRaw {
  /** Throws `POSTHORN_TOPOLOGY_MISSING` when there is no such source. */
  put(source: string, message: RawMessage): void
  /** Takes the first message that is ready out of a source; `undefined` when there is none, or no such source. */
  take(source: string): StoredMessage | undefined
  /** Everything that a source holds, whatever its state; nothing when there is no such source. */
  messages(source: string): readonly StoredMessage[]
}

export function createRaw(parts: BrokerParts): MemoryRaw {
  const createId = createIdFactory(parts.clock)
  return {
    put(source, { body, headers = {}, properties = {}, hasPosition = true }) {
      const queue = parts.queues.get(source)
      if (queue === undefined) throw missing(`source "${source}"`)
      const { message, invalid } = readEnvelope({
        headers,
        native: properties,
        body: Uint8Array.from(body),
        position: hasPosition ? `${source}:${parts.nextSerial()}` : undefined,
        now: parts.clock.now(),
        createId,
      })
      queue.insertForeign(message, { createId: hasPosition ? undefined : createId, invalid })
    },
    take(source) {
      const queue = parts.queues.get(source)
      return queue === undefined ? undefined : takeStored(queue)
    },
    messages(source) {
      const queue = parts.queues.get(source)
      return queue === undefined ? [] : readStored(queue, parts)
    },
  }
}
