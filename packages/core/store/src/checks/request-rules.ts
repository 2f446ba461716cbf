import { duration, fields, invalid, list, name, optional, text, wholeNumber, type Rule } from './rules.ts'

const maxBatch = 1_000
const fence = wholeNumber(1, Number.MAX_SAFE_INTEGER)
const limit = wholeNumber(1, maxBatch)
const heldClaim = { key: name, fence }

const due: Rule = (value, place) => {
  const given = value as { readonly inMs?: unknown; readonly at?: unknown }
  if (typeof value !== 'object' || value === null || ('inMs' in given && 'at' in given))
    throw invalid(place, '{ inMs } or { at }', value)
  if ('inMs' in given) fields({ inMs: duration(0) })(value, place)
  else fields({ at: wholeNumber(0, Number.MAX_SAFE_INTEGER, 'epoch milliseconds') })(value, place)
}

const outboxMessages = list(fields({ id: name, body: text, key: optional(name) }), maxBatch)

type Call =
  | 'claim'
  | 'renew'
  | 'complete'
  | 'release'
  | 'get'
  | 'put'
  | 'list'
  | 'takeDue'
  | 'append'
  | 'claimMessages'
  | 'sent'
  | 'releaseMessages'
  | 'sweep'

/** What each call takes. */
export const requestRules: Readonly<Record<Call, Rule>> = {
  claim: list(
    fields({ key: name, owner: name, leaseMs: duration(1), payloadHash: optional(name) }),
    maxBatch,
  ),
  renew: list(fields({ ...heldClaim, leaseMs: duration(1) }), maxBatch),
  complete: list(fields({ ...heldClaim, result: optional(text), retentionMs: duration(1) }), maxBatch),
  release: list(fields(heldClaim), maxBatch),
  get: list(fields({ collection: name, key: name }), maxBatch),
  put: list(
    fields({
      collection: name,
      key: name,
      expectedVersion: wholeNumber(0, Number.MAX_SAFE_INTEGER),
      value: text,
      index: optional(name),
      due: optional(due),
      expiresInMs: optional(duration(1)),
      outbox: optional(outboxMessages),
    }),
    maxBatch,
  ),
  list: fields({ collection: name, index: optional(name), after: optional(name), limit }),
  takeDue: fields({ collection: name, limit, leaseMs: duration(1) }),
  append: outboxMessages,
  claimMessages: fields({ limit, leaseMs: duration(1) }),
  sent: list(name, maxBatch),
  releaseMessages: fields({ fence, ids: list(name, maxBatch), delayMs: optional(duration(0)) }),
  sweep: fields({ limit: wholeNumber(1, 100_000) }),
}
