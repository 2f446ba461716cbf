import type { Context } from '@posthorn/transport'

const fence = Symbol.for('posthorn.fence')

/**
 * The fencing token of the attempt: higher than that of every earlier one at the same thing, so a system that refuses what
 * comes with a lower token than it has seen is safe from a handler that was given up. `undefined` where no idempotency is.
 */
export function fenceOf(context: Context): number | undefined {
  return (context as Fenced)[fence]
}

/** Writes it into the context: one that is derived from it makes every later step with the message slower, by microseconds. */
export function setFence(context: Context, token: number): void {
  ;(context as Fenced)[fence] = token
}

type Fenced = Context & { [fence]?: number }
