/**
 * Who may do a thing that must be done once. A claim is absent, in progress (with owner, fence and lease) or done (with
 * result and expiry). Each call takes any number of requests in one round trip, treats them as if one after the other, and
 * answers in their order; each request is atomic by itself, the batch is not. Time is that of the database.
 */
export interface Claims {
  /**
   * Absent → in progress. A claim whose lease has run out can be taken over, by the same payload; its former owner then
   * gets `lost`.
   */
  claim(requests: readonly ClaimRequest[]): Promise<ClaimAnswer[]>
  /** Gives a claim in progress a lease that starts anew. One that has run out is renewed too, unless somebody took it. */
  renew(requests: readonly RenewRequest[]): Promise<('renewed' | 'lost')[]>
  /**
   * In progress → done, also after the lease ran out, as long as nobody took the claim. May be said again: a caller that
   * got no answer repeats it.
   */
  complete(requests: readonly CompleteRequest[]): Promise<('completed' | 'lost')[]>
  /** In progress → absent, when the work has failed. What is done stays done. */
  release(requests: readonly ReleaseRequest[]): Promise<('released' | 'lost')[]>
}

export interface ClaimRequest {
  /** 1 to 512 characters. */
  readonly key: string
  /** Who claims, for whoever looks into the database and for those who are told `inProgress`. 1 to 512 characters. */
  readonly owner: string
  /** Milliseconds after which another may take the claim over. */
  readonly leaseMs: number
  /** Of what is to be done, from `payloadHash`. Compared where both the claim and the request have one. */
  readonly payloadHash?: string | undefined
}

export type ClaimAnswer =
  /** It is the caller's. `fence` is higher than that of every earlier claim of this key. */
  | { readonly status: 'claimed'; readonly fence: number }
  /** Somebody is at it, for `remainingMs` more unless the lease is renewed. */
  | { readonly status: 'inProgress'; readonly owner: string; readonly remainingMs: number }
  | { readonly status: 'done'; readonly result: string | undefined }
  /** The same key was used for another payload, whose hash this is. Nothing was changed. */
  | { readonly status: 'conflict'; readonly payloadHash: string }

/** A claim that somebody believes to have. */
export interface HeldClaim {
  readonly key: string
  /** From the answer `claimed`. */
  readonly fence: number
}

export interface RenewRequest extends HeldClaim {
  readonly leaseMs: number
}

export interface CompleteRequest extends HeldClaim {
  /** Any text, such as JSON; given to whoever claims the key again. */
  readonly result?: string | undefined
  /** Milliseconds for which it stays done. Afterwards the key is absent, and can be claimed as new. */
  readonly retentionMs: number
}

export type ReleaseRequest = HeldClaim

/**
 * Milliseconds, from the end of its lease, for which a claim in progress is remembered: so long its owner may still complete it,
 * and another payload is a conflict. Afterwards it is absent.
 */
export const abandonedAfterMs = 86_400_000
