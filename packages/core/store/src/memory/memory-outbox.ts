import type {
  ClaimedMessage,
  Outbox,
  OutboxBatch,
  OutboxDepth,
  OutboxMessage,
  OutboxQuery,
  OutboxRelease,
} from '../contract/outbox.ts'
import { storeFull } from './expiring-map.ts'
import type { MemoryParts } from './memory-parts.ts'

interface Row extends OutboxMessage {
  readonly appendedAt: number
  /** When it can be claimed: at once, or at the end of its lease or delay. */
  freeAt: number
  fence: number
  claims: number
}

export class MemoryOutbox implements Outbox {
  readonly #parts: MemoryParts
  /** In the order of their appending. */
  readonly #rows = new Map<string, Row>()

  constructor(parts: MemoryParts) {
    this.#parts = parts
  }

  async append(messages: readonly OutboxMessage[]): Promise<void> {
    this.checkRoom(messages)
    this.appendNow(messages)
  }

  /** Throws `POSTHORN_STORE_FULL`. */
  checkRoom(messages: readonly OutboxMessage[]): void {
    if (this.#rows.size + messages.length > this.#parts.maxMessages)
      throw storeFull('outbox messages', this.#parts.maxMessages)
  }

  appendNow(messages: readonly OutboxMessage[]): void {
    const now = this.#parts.now()
    for (const { id, body, key } of messages) {
      if (this.#rows.has(id)) continue
      const message = key === undefined ? { id, body } : { id, body, key }
      this.#rows.set(id, { ...message, appendedAt: now, freeAt: now, fence: 0, claims: 0 })
    }
  }

  async claim({ limit, leaseMs }: OutboxQuery): Promise<OutboxBatch> {
    const now = this.#parts.now()
    const fence = this.#parts.next()
    const heldKeys = new Set<string>()
    const messages: ClaimedMessage[] = []
    for (const row of this.#rows.values()) {
      if (messages.length === limit) break
      if (row.key !== undefined && heldKeys.has(row.key)) continue
      if (row.freeAt > now) {
        if (row.key !== undefined) heldKeys.add(row.key)
        continue
      }
      row.freeAt = now + leaseMs
      row.fence = fence
      row.claims += 1
      const { id, body, key, claims } = row
      messages.push(key === undefined ? { id, body, claims } : { id, body, key, claims })
    }
    return { fence, messages }
  }

  async sent(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#rows.delete(id)
  }

  async release({ fence, ids, delayMs = 0 }: OutboxRelease): Promise<void> {
    const freeAt = this.#parts.now() + delayMs
    for (const id of ids) {
      const row = this.#rows.get(id)
      if (row?.fence === fence) row.freeAt = freeAt
    }
  }

  async depth(): Promise<OutboxDepth> {
    const oldest = this.#rows.values().next().value
    const oldestMs = oldest === undefined ? undefined : this.#parts.now() - oldest.appendedAt
    return { waiting: this.#rows.size, oldestMs }
  }
}
