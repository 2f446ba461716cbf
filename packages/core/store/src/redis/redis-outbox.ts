import type {
  Outbox,
  OutboxBatch,
  OutboxDepth,
  OutboxMessage,
  OutboxQuery,
  OutboxRelease,
} from '../contract/outbox.ts'
import type { RedisSession } from './redis-session.ts'
import {
  appendScript,
  claimMessagesScript,
  depthScript,
  releaseMessagesScript,
  sentScript,
} from './scripts/outbox-scripts.ts'

type Row = readonly [id: string, body: string, claims: number, sequence: string, key: string]

export class RedisOutbox implements Outbox {
  readonly #session: RedisSession

  constructor(session: RedisSession) {
    this.#session = session
  }

  async append(messages: readonly OutboxMessage[]): Promise<void> {
    await this.#session.run(appendScript, ...messages.flatMap(({ id, key = '', body }) => [id, key, body]))
  }

  async claim({ limit, leaseMs }: OutboxQuery): Promise<OutboxBatch> {
    const answer = await this.#session.run(claimMessagesScript, limit, leaseMs)
    const [fence, rows] = answer as readonly [string, Row[]]
    // They come key by key.
    rows.sort((a, b) => Number(a[3]) - Number(b[3]))
    const messages = rows.map(([id, body, claims, , key]) =>
      key === '' ? { id, body, claims } : { id, body, key, claims },
    )
    return { fence: Number(fence), messages }
  }

  async sent(ids: readonly string[]): Promise<void> {
    await this.#session.run(sentScript, ...ids)
  }

  async release({ fence, ids, delayMs = 0 }: OutboxRelease): Promise<void> {
    await this.#session.run(releaseMessagesScript, fence, delayMs, ...ids)
  }

  async depth(): Promise<OutboxDepth> {
    const [waiting, age] = (await this.#session.run(depthScript)) as readonly [number, string]
    return { waiting, oldestMs: age === '-1' ? undefined : Number(age) }
  }
}
