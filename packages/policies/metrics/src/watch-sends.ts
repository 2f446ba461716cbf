import { isPosthornError, type PartialPublishError, type PublishMiddleware } from '@posthorn/transport'
import type { Meters } from './meters.ts'

/** Middleware that counts and times what is sent and published. It changes nothing. */
export function watchSends(meters: Meters): PublishMiddleware {
  return {
    name: 'metrics',
    phase: 'observe',
    wrap(next, clock) {
      return async (batch) => {
        const { destination, messages } = batch
        const begunAt = clock.now()
        const count = (outcome: string, howMany: number): void => {
          if (howMany > 0) meters.sent.of(destination, outcome).value += howMany
        }
        try {
          await next(batch)
          count('confirmed', messages.length)
        } catch (error) {
          for (const [outcome, howMany] of outcomesOf(error, messages.length)) count(outcome, howMany)
          throw error
        } finally {
          meters.sendSeconds.of(destination).observe(Math.max(0, clock.now() - begunAt) / 1_000)
        }
      }
    },
  }
}

function outcomesOf(error: unknown, count: number): Iterable<readonly [string, number]> {
  if (!isPosthornError(error)) return [['rejected', count]]
  if (error.code !== 'POSTHORN_PARTIAL_PUBLISH') return [[error.outcome ?? 'rejected', count]]
  const counts = new Map<string, number>()
  for (const outcome of (error as PartialPublishError).outcomes) {
    const name = outcome === 'confirmed' ? outcome : (outcome.outcome ?? 'rejected')
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return counts
}
