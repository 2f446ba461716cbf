import { abandonedAfterMs, type ClaimAnswer, type ClaimRequest, type Claims } from '../contract/claims.ts'
import { ExpiringMap } from './expiring-map.ts'
import type { Expiring } from './expiry-queue.ts'
import type { MemoryParts } from './memory-parts.ts'

interface Claim extends Expiring<Claim> {
  readonly key: string
  readonly owner: string
  readonly fence: number
  readonly payloadHash: string | undefined
  done: boolean
  result: string | undefined
}

export class MemoryClaims implements Claims {
  readonly #parts: MemoryParts
  readonly #claims: ExpiringMap<Claim>

  constructor(parts: MemoryParts) {
    this.#parts = parts
    this.#claims = new ExpiringMap('claims', parts.maxClaims)
  }

  async claim(requests: readonly ClaimRequest[]): Promise<ClaimAnswer[]> {
    const now = this.#parts.now()
    return requests.map((request) => this.#claim(request, now))
  }

  #claim({ key, owner, leaseMs, payloadHash }: ClaimRequest, now: number): ClaimAnswer {
    const known = this.#claims.get(key, now)
    if (known !== undefined) {
      const recorded = known.payloadHash
      if (recorded !== undefined && payloadHash !== undefined && recorded !== payloadHash)
        return { status: 'conflict', payloadHash: recorded }
      if (known.done) return { status: 'done', result: known.result }
      const remainingMs = known.expiresAt - abandonedAfterMs - now
      if (remainingMs > 0) return { status: 'inProgress', owner: known.owner, remainingMs }
    }
    const fence = this.#parts.next()
    const expiresAt = now + leaseMs + abandonedAfterMs
    this.#claims.set(
      {
        key,
        owner,
        fence,
        payloadHash,
        done: false,
        result: undefined,
        expiresAt,
        run: undefined,
        before: undefined,
        after: undefined,
      },
      now,
    )
    return { status: 'claimed', fence }
  }

  async renew(requests: Parameters<Claims['renew']>[0]): Promise<('renewed' | 'lost')[]> {
    const now = this.#parts.now()
    return requests.map(({ key, fence, leaseMs }) => {
      const claim = this.#held(key, fence, now)
      if (claim === undefined || claim.done) return 'lost'
      this.#claims.expireAt(claim, now + leaseMs + abandonedAfterMs)
      return 'renewed'
    })
  }

  async complete(requests: Parameters<Claims['complete']>[0]): Promise<('completed' | 'lost')[]> {
    const now = this.#parts.now()
    return requests.map(({ key, fence, result, retentionMs }) => {
      const claim = this.#held(key, fence, now)
      if (claim === undefined) return 'lost'
      claim.done = true
      claim.result = result
      this.#claims.expireAt(claim, now + retentionMs)
      return 'completed'
    })
  }

  async release(requests: Parameters<Claims['release']>[0]): Promise<('released' | 'lost')[]> {
    const now = this.#parts.now()
    return requests.map(({ key, fence }) => {
      const claim = this.#held(key, fence, now)
      if (claim === undefined || claim.done) return 'lost'
      this.#claims.remove(claim)
      return 'released'
    })
  }

  #held(key: string, fence: number, now: number): Claim | undefined {
    const claim = this.#claims.get(key, now)
    return claim?.fence === fence ? claim : undefined
  }

  sweep(limit: number): number {
    return this.#claims.sweep(limit, this.#parts.now())
  }
}
