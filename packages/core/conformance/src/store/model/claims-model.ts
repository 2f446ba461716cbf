import { abandonedAfterMs, type ClaimRequest } from '@posthorn/store'

interface Claim {
  readonly owner: string
  readonly fence: number
  readonly payloadHash: string | undefined
  leaseEnd: number
  expiresAt: number
  result: { readonly text: string | undefined } | undefined
}

/** What has to be answered to a claim; its fence is the database's to choose. */
export type WantedAnswer =
  | { readonly status: 'claimed'; readonly above: number }
  | { readonly status: 'inProgress'; readonly owner: string; readonly remainingMs: number }
  | { readonly status: 'done'; readonly result: string | undefined }
  | { readonly status: 'conflict'; readonly payloadHash: string }

/** The claims as they are meant, on a clock of its own. */
export class ClaimsModel {
  now = 0
  readonly #claims = new Map<string, Claim>()
  readonly #lastFences = new Map<string, number>()

  claim({ key, payloadHash }: ClaimRequest): WantedAnswer {
    const known = this.#find(key)
    if (known?.payloadHash !== undefined && payloadHash !== undefined && known.payloadHash !== payloadHash)
      return { status: 'conflict', payloadHash: known.payloadHash }
    if (known?.result !== undefined) return { status: 'done', result: known.result.text }
    if (known !== undefined && known.leaseEnd > this.now)
      return { status: 'inProgress', owner: known.owner, remainingMs: known.leaseEnd - this.now }
    return { status: 'claimed', above: this.#lastFences.get(key) ?? 0 }
  }

  /** Records the claim that the database has granted. */
  grant({ key, owner, leaseMs, payloadHash }: ClaimRequest, fence: number): void {
    this.#lastFences.set(key, fence)
    const leaseEnd = this.now + leaseMs
    const expiresAt = leaseEnd + abandonedAfterMs
    this.#claims.set(key, { owner, fence, payloadHash, leaseEnd, expiresAt, result: undefined })
  }

  renew(key: string, fence: number, leaseMs: number): 'renewed' | 'lost' {
    const claim = this.#find(key)
    if (claim?.fence !== fence || claim.result !== undefined) return 'lost'
    claim.leaseEnd = this.now + leaseMs
    claim.expiresAt = claim.leaseEnd + abandonedAfterMs
    return 'renewed'
  }

  complete(key: string, fence: number, text: string | undefined, retentionMs: number): 'completed' | 'lost' {
    const claim = this.#find(key)
    if (claim?.fence !== fence) return 'lost'
    claim.result = { text }
    claim.expiresAt = this.now + retentionMs
    return 'completed'
  }

  release(key: string, fence: number): 'released' | 'lost' {
    const claim = this.#find(key)
    if (claim?.fence !== fence || claim.result !== undefined) return 'lost'
    this.#claims.delete(key)
    return 'released'
  }

  #find(key: string): Claim | undefined {
    const claim = this.#claims.get(key)
    return claim !== undefined && claim.expiresAt > this.now ? claim : undefined
  }
}
