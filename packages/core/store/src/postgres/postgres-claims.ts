import {
  abandonedAfterMs,
  type ClaimAnswer,
  type ClaimRequest,
  type Claims,
  type HeldClaim,
} from '../contract/claims.ts'
import { inRounds } from '../in-rounds.ts'
import { StoreError } from '../store-error.ts'
import { epochMs, fromNow, inputOf, inputRows, inputTexts, type PostgresSession } from './postgres-session.ts'

/** A number of 64 bits, as clients give it. */
type Int8 = number | string | bigint

interface Look {
  readonly key: string
  readonly owner: string
  readonly payload_hash: string | null
  readonly done: boolean
  readonly result: string | null
  readonly remaining_ms: Int8
}

const maxTries = 20
const keyOf = ({ key }: { readonly key: string }): string => key

export class PostgresClaims implements Claims {
  readonly #session: PostgresSession
  readonly #take: string
  readonly #look: string

  constructor(session: PostgresSession) {
    this.#session = session
    const { claims, next } = session
    // The comparison of payloads is that of `answerOf`.
    this.#take = `INSERT INTO ${claims} AS known (key, owner, fence, payload_hash, lease_end, expires_at)
      SELECT key, owner, ${next}, payload_hash, ${fromNow('lease_ms')}, ${fromNow(`(lease_ms + ${abandonedAfterMs})`)}
      FROM ${inputRows('key text, owner text, lease_ms bigint, payload_hash text')} AS request
      ON CONFLICT (key) DO UPDATE SET owner = excluded.owner, fence = ${next}, payload_hash = excluded.payload_hash,
        lease_end = excluded.lease_end, expires_at = excluded.expires_at, done = false, result = NULL
      WHERE known.expires_at <= clock_timestamp() OR NOT known.done AND known.lease_end <= clock_timestamp()
        AND coalesce(known.payload_hash = excluded.payload_hash, true)
      RETURNING key, fence`
    this.#look = `SELECT key, owner, payload_hash, done, result, ${epochMs('(lease_end - clock_timestamp())')} AS remaining_ms
      FROM ${inputTexts()} AS request JOIN ${claims} USING (key)
      WHERE expires_at > clock_timestamp()`
  }

  async claim(requests: readonly ClaimRequest[]): Promise<ClaimAnswer[]> {
    return inRounds(requests, keyOf, async (round) => this.#claimRound(round))
  }

  async #claimRound(round: readonly ClaimRequest[]): Promise<ClaimAnswer[]> {
    const answers = new Map<string, ClaimAnswer>()
    let open = round
    for (let tries = 0; open.length > 0; tries += 1) {
      if (tries === maxTries) throw contended(open)
      await this.#takeFree(open, answers)
      open = open.filter(({ key }) => !answers.has(key))
      if (open.length === 0) break
      await this.#lookAt(open, answers)
      // What has become free meanwhile is tried again.
      open = open.filter(({ key }) => !answers.has(key))
    }
    return round.map(({ key }) => answers.get(key) as ClaimAnswer)
  }

  async #takeFree(requests: readonly ClaimRequest[], answers: Map<string, ClaimAnswer>): Promise<void> {
    const input = inOrder(requests).map(({ key, owner, leaseMs, payloadHash }) => {
      return { key, owner, lease_ms: leaseMs, payload_hash: payloadHash }
    })
    const rows = await this.#session.query<{ key: string; fence: Int8 }>(this.#take, ...inputOf(input))
    for (const { key, fence } of rows) answers.set(key, { status: 'claimed', fence: Number(fence) })
  }

  async #lookAt(requests: readonly ClaimRequest[], answers: Map<string, ClaimAnswer>): Promise<void> {
    const rows = await this.#session.query<Look>(this.#look, ...inputOf(requests.map(keyOf)))
    const looks = new Map(rows.map((row) => [row.key, row]))
    for (const request of requests) {
      const look = looks.get(request.key)
      const answer = look === undefined ? undefined : answerOf(look, request)
      if (answer !== undefined) answers.set(request.key, answer)
    }
  }

  async renew(requests: Parameters<Claims['renew']>[0]): Promise<('renewed' | 'lost')[]> {
    const sql = `UPDATE ${this.#session.claims} AS known
      SET lease_end = ${fromNow('lease_ms')}, expires_at = ${fromNow(`(lease_ms + ${abandonedAfterMs})`)}
      FROM ${inputRows('key text, fence bigint, lease_ms bigint')} AS request
      WHERE known.key = request.key AND known.fence = request.fence AND NOT done AND expires_at > clock_timestamp()
      RETURNING known.key`
    return this.#change(sql, requests, ({ leaseMs }) => ({ lease_ms: leaseMs }), 'renewed')
  }

  async complete(requests: Parameters<Claims['complete']>[0]): Promise<('completed' | 'lost')[]> {
    const sql = `UPDATE ${this.#session.claims} AS known
      SET done = true, result = request.result, expires_at = ${fromNow('retention_ms')}
      FROM ${inputRows('key text, fence bigint, result text, retention_ms bigint')} AS request
      WHERE known.key = request.key AND known.fence = request.fence AND expires_at > clock_timestamp()
      RETURNING known.key`
    return this.#change(
      sql,
      requests,
      ({ result, retentionMs }) => ({ result, retention_ms: retentionMs }),
      'completed',
    )
  }

  async release(requests: Parameters<Claims['release']>[0]): Promise<('released' | 'lost')[]> {
    const sql = `DELETE FROM ${this.#session.claims} AS known
      USING ${inputRows('key text, fence bigint')} AS request
      WHERE known.key = request.key AND known.fence = request.fence AND NOT done AND expires_at > clock_timestamp()
      RETURNING known.key`
    return this.#change(sql, requests, () => ({}), 'released')
  }

  /** Runs a statement that answers the keys of the claims that were still held, and so changed. */
  async #change<Request extends HeldClaim, Word extends string>(
    sql: string,
    requests: readonly Request[],
    more: (request: Request) => object,
    changed: Word,
  ): Promise<(Word | 'lost')[]> {
    return inRounds(requests, keyOf, async (round) => {
      const input = inOrder(round).map((request) => {
        return { key: request.key, fence: request.fence, ...more(request) }
      })
      const rows = await this.#session.query<{ key: string }>(sql, ...inputOf(input))
      const keys = new Set(rows.map(keyOf))
      return round.map(({ key }) => (keys.has(key) ? changed : 'lost'))
    })
  }
}

/** `undefined` for a claim that can be taken. */
function answerOf(look: Look, { payloadHash }: ClaimRequest): ClaimAnswer | undefined {
  const { owner, done, result, payload_hash: recorded } = look
  if (recorded !== null && payloadHash !== undefined && recorded !== payloadHash)
    return { status: 'conflict', payloadHash: recorded }
  if (done) return { status: 'done', result: result ?? undefined }
  const remainingMs = Number(look.remaining_ms)
  return remainingMs > 0 ? { status: 'inProgress', owner, remainingMs } : undefined
}

/** The same order in every process, so that two batches cannot wait for each other. */
function inOrder<Request extends { readonly key: string }>(requests: readonly Request[]): Request[] {
  return requests.toSorted((a, b) => (a.key < b.key ? -1 : 1))
}

function contended(requests: readonly ClaimRequest[]): StoreError {
  const text = `The claim of "${requests[0]?.key}" was taken and given back by others ${maxTries} times while it was being claimed. Try again later.`
  return new StoreError('POSTHORN_STORE_BUSY', text, { retryable: true })
}
