import type { Context, Message, Middleware, Settlement } from '@posthorn/transport'
import type { Counter } from './counter.ts'
import type { Meters } from './meters.ts'

/** Middleware that counts and times what is handled. It changes nothing, and looks up no label for a message. */
export function watchHandlers(meters: Meters): Middleware {
  return {
    name: 'metrics',
    phase: 'observe',
    wrap(next, { source, clock }) {
      const received = meters.received.of(source)
      const running = meters.running.of(source)
      const attempts = meters.attempts.of(source)
      const redelivered = meters.redelivered.of(source)
      const latency = meters.latencySeconds.of(source)
      const processing = meters.processingSeconds.of(source)
      const outcome = (name: string): Counter => meters.handled.of(source, name)
      const outcomes = {
        ack: outcome('ack'),
        retry: outcome('retry'),
        release: outcome('release'),
        deadLetter: outcome('dead_letter'),
        repeated: outcome('repeated'),
      }

      const ended = (settlement: Settlement, context: Context, begunAt: number): void => {
        const { verb } = settlement
        running.value -= 1
        outcomes[verb === 'ack' && settlement.repeated ? 'repeated' : verb].value += 1
        if (verb !== 'ack' || settlement.repeated) return
        const now = clock.now()
        processing.observe(Math.max(0, now - begunAt) / 1_000)
        // The clock of the sender may be ahead of ours.
        if (context.dueAt !== undefined) latency.observe(Math.max(0, now - context.dueAt) / 1_000)
      }
      // Other middleware threw: the runner makes a retry of it, as of what a handler throws.
      const failed = (error: unknown): never => {
        running.value -= 1
        outcomes.retry.value += 1
        throw error
      }

      return (message: Message, context: Context) => {
        received.value += 1
        running.value += 1
        if (context.attempt > 1) attempts.value += 1
        if (context.deliveries > 1) redelivered.value += 1
        const begunAt = clock.now()
        let settlement: Settlement | Promise<Settlement>
        try {
          settlement = next(message, context)
        } catch (error) {
          return failed(error)
        }
        if (!(settlement instanceof Promise)) {
          ended(settlement, context, begunAt)
          return settlement
        }
        return settlement.then((settled) => {
          ended(settled, context, begunAt)
          return settled
        }, failed)
      }
    },
  }
}
