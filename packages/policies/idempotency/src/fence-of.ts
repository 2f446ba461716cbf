import type { Context } from '@posthorn/transport'

const fence = Symbol.for('posthorn.fence')

/**
 * The fencing token of the attempt: higher than that of every earlier one at the same thing, so a system that refuses what
 * comes with a lower token than it has seen is safe from a handler that was given up. `undefined` where no idempotency is.
 */
export function fenceOf(context: Context): number | undefined {
  return (context as { readonly [fence]?: number })[fence]
}

export function withFence(context: Context, token: number): Context {
  return Object.create(context, { [fence]: { value: token } }) as Context
}
