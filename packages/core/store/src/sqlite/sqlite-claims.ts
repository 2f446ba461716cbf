import { abandonedAfterMs, type ClaimAnswer, type ClaimRequest, type Claims } from '../contract/claims.ts'
import type { SqliteSession } from './sqlite-session.ts'

interface Row {
  readonly owner: string
  readonly fence: number
  readonly payload_hash: string | null
  readonly lease_end: number
  readonly done: number
  readonly result: string | null
}

export class SqliteClaims implements Claims {
  readonly #session: SqliteSession
  readonly #table: string

  constructor(session: SqliteSession) {
    this.#session = session
    this.#table = `${session.prefix}claims`
  }

  async claim(requests: readonly ClaimRequest[]): Promise<ClaimAnswer[]> {
    return this.#session.write(() => {
      const now = this.#session.now()
      // Drawn for the batch at once; a number that is not used is no loss.
      const firstFence = this.#session.next(requests.length)
      return requests.map((request, index) => this.#claim(request, firstFence + index, now))
    })
  }

  #claim(request: ClaimRequest, fence: number, now: number): ClaimAnswer {
    const { key, owner, leaseMs } = request
    const payloadHash = request.payloadHash ?? null
    const select = `SELECT owner, fence, payload_hash, lease_end, done, result FROM ${this.#table} WHERE key = ? AND expires_at > ?`
    const known = this.#session.get(select, key, now) as Row | undefined
    if (known !== undefined) {
      const recorded = known.payload_hash
      if (recorded !== null && payloadHash !== null && recorded !== payloadHash)
        return { status: 'conflict', payloadHash: recorded }
      if (known.done === 1) return { status: 'done', result: known.result ?? undefined }
      if (known.lease_end > now)
        return { status: 'inProgress', owner: known.owner, remainingMs: known.lease_end - now }
    }
    this.#session.run(
      `INSERT OR REPLACE INTO ${this.#table} (key, owner, fence, payload_hash, lease_end, expires_at) VALUES (?, ?, ?, ?, ?, ?)`,
      ...[key, owner, fence, payloadHash, now + leaseMs, now + leaseMs + abandonedAfterMs],
    )
    return { status: 'claimed', fence }
  }

  async renew(requests: Parameters<Claims['renew']>[0]): Promise<('renewed' | 'lost')[]> {
    const sql = `UPDATE ${this.#table} SET lease_end = ?, expires_at = ? WHERE key = ? AND fence = ? AND done = 0 AND expires_at > ?`
    return this.#session.write(() => {
      const now = this.#session.now()
      return requests.map(({ key, fence, leaseMs }) => {
        const end = now + leaseMs
        return this.#session.run(sql, end, end + abandonedAfterMs, key, fence, now) > 0 ? 'renewed' : 'lost'
      })
    })
  }

  async complete(requests: Parameters<Claims['complete']>[0]): Promise<('completed' | 'lost')[]> {
    const sql = `UPDATE ${this.#table} SET done = 1, result = ?, expires_at = ? WHERE key = ? AND fence = ? AND expires_at > ?`
    return this.#session.write(() => {
      const now = this.#session.now()
      return requests.map(({ key, fence, result = null, retentionMs }) =>
        this.#session.run(sql, result, now + retentionMs, key, fence, now) > 0 ? 'completed' : 'lost',
      )
    })
  }

  async release(requests: Parameters<Claims['release']>[0]): Promise<('released' | 'lost')[]> {
    const sql = `DELETE FROM ${this.#table} WHERE key = ? AND fence = ? AND done = 0 AND expires_at > ?`
    return this.#session.write(() => {
      const now = this.#session.now()
      return requests.map(({ key, fence }) =>
        this.#session.run(sql, key, fence, now) > 0 ? 'released' : 'lost',
      )
    })
  }
}
