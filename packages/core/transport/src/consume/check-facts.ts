import type { Middleware } from '../contract/middleware.ts'
import { PosthornError } from '../errors.ts'
import type { ConsumeSettings } from './consume-settings.ts'

const largestRandom = 1 - 2 ** -53

/**
 * Refuses a consumer whose numbers contradict each other, before anything is declared. `given`: the limits that its options
 * name themselves.
 */
export function checkFacts(
  where: string,
  settings: ConsumeSettings,
  given: { readonly maxAttempts?: number; readonly maxDeliveries?: number },
): void {
  if (settings.ephemeral) return
  const policy = settings.middleware.find((one) => one.phase === 'retry')
  const { maxAttempts, maxDeliveries } = settings
  const isMeant =
    given.maxDeliveries !== undefined && (given.maxAttempts !== undefined || policy !== undefined)
  if (isMeant && maxAttempts !== Infinity && maxDeliveries < maxAttempts) {
    throw refusal(
      `${where}.maxDeliveries is ${maxDeliveries}, and ${nameOf(policy)} makes ${maxAttempts} attempts, each of which is a delivery. ` +
        'Raise maxDeliveries to twice as many, leave it out, or lower the attempts.',
    )
  }
  for (const middleware of settings.middleware) checkWindow(where, middleware, policy, settings)
}

/** What is recognised as repeated for a shorter time than it may be repeated in would have its effect twice. */
function checkWindow(
  where: string,
  { name, facts }: Middleware,
  policy: Middleware | undefined,
  settings: ConsumeSettings,
): void {
  const windowMs = facts?.deduplicationWindowMs
  const waitsMs = policy === undefined ? defaultSpanMs(settings) : policy.facts?.retrySpanMs
  if (windowMs === undefined || waitsMs === undefined) return
  const { maxAttempts, handlerTimeoutMs } = settings
  const handlingMs = maxAttempts === Infinity ? 0 : maxAttempts * handlerTimeoutMs
  const horizonMs = policy?.facts?.replayHorizonMs ?? 0
  const neededMs = waitsMs + handlingMs + horizonMs
  if (windowMs >= neededMs) return
  throw refusal(
    `${where}: middleware "${name}" recognises a repeated message for ${windowMs} ms, and ${nameOf(policy)} may hand one out again ` +
      `${neededMs} ms later: ${waitsMs} ms of waits, ${handlingMs} ms of ${maxAttempts} attempts of ${handlerTimeoutMs} ms each, ` +
      `${horizonMs} ms until a replay. Let "${name}" recognise it for as long, or lower the attempts, the waits, handlerTimeoutMs or ` +
      'the replayHorizonMs of the policy.',
  )
}

/** The waits of the transport's own policy; `undefined` where its delay is broken, which is told when it is used. */
function defaultSpanMs({ retryDelay, maxAttempts }: ConsumeSettings): number | undefined {
  let spanMs = 0
  try {
    for (let attempt = 1; attempt < maxAttempts; attempt++) spanMs += retryDelay(attempt, () => largestRandom)
  } catch {
    return undefined
  }
  return Number.isFinite(spanMs) ? Math.ceil(spanMs) : undefined
}

function nameOf(policy: Middleware | undefined): string {
  return policy === undefined ? 'the default retry policy' : `retry policy "${policy.name}"`
}

function refusal(message: string): PosthornError {
  return new PosthornError('POSTHORN_INVALID_OPTION', message, { phase: 'options' })
}
