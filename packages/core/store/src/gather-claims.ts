import { fields, optional, wholeNumber } from './checks/rules.ts'
import type {
  ClaimAnswer,
  ClaimRequest,
  Claims,
  CompleteRequest,
  ReleaseRequest,
  RenewRequest,
} from './contract/claims.ts'
import { Gatherer } from './gatherer.ts'

/** `Claims`, one request at a time. */
export interface SingleClaims {
  claim(request: ClaimRequest): Promise<ClaimAnswer>
  renew(request: RenewRequest): Promise<'renewed' | 'lost'>
  complete(request: CompleteRequest): Promise<'completed' | 'lost'>
  release(request: ReleaseRequest): Promise<'released' | 'lost'>
}

export interface GatherOptions {
  /** Requests in one batch: 1 to 1,000. Default: 100. */
  readonly maxBatch?: number
  /** Batches of one kind that are on their way at the same time: 1 to 100. Default: 2. */
  readonly maxInFlight?: number
}

const rules = fields({
  maxBatch: optional(wholeNumber(1, 1_000)),
  maxInFlight: optional(wholeNumber(1, 100)),
})

/**
 * Lets many callers claim singly, and puts what they ask for at the same time into batches. A request that cannot work is
 * refused alone; when the database fails, so do all of the batch. A transaction's claims are made in it, not through this.
 */
export function gatherClaims(claims: Claims, options: GatherOptions = {}): SingleClaims {
  rules(options, { step: 'gatherClaims()' })
  const { maxBatch = 100, maxInFlight = 2 } = options
  const gather = <Request, Answer>(
    run: (requests: readonly Request[]) => Promise<readonly Answer[]>,
  ): ((request: Request) => Promise<Answer>) => {
    const gatherer = new Gatherer(run, maxBatch, maxInFlight)
    return (request) => gatherer.ask(request)
  }
  return {
    claim: gather((requests: readonly ClaimRequest[]) => claims.claim(requests)),
    renew: gather((requests: readonly RenewRequest[]) => claims.renew(requests)),
    complete: gather((requests: readonly CompleteRequest[]) => claims.complete(requests)),
    release: gather((requests: readonly ReleaseRequest[]) => claims.release(requests)),
  }
}
