import { Redis } from 'ioredis'
import { fenceOf, idempotency } from '@posthorn/idempotency'
import { redisStore } from '@posthorn/store/redis'
import type { Context, Handler, Message, Middleware } from '@posthorn/transport'

/** The last stage of the chain. */
export interface RealStage {
  readonly use: readonly Middleware[]
  readonly handler: Handler
}

export type Handle = (message: Message, context: Context, effect: () => Promise<void>) => Promise<void>

/** Refuses a lower fence than it has seen, and keeps those that it took. */
const writeFenced = `
  local last = redis.call('LINDEX', KEYS[1], -1)
  if last and tonumber(last) > tonumber(ARGV[1]) then return 0 end
  redis.call('RPUSH', KEYS[1], ARGV[1])
  return 1`

export function effectsOf(id: string): string {
  return `effects:${id}`
}

export async function openLeaseStage(url: string, handle: Handle): Promise<RealStage> {
  const client = new Redis(url)
  const once = idempotency({ store: redisStore(client), leaseMs: 2_000 })
  return {
    use: [once],
    handler: (message, context) =>
      handle(message, context, async () => {
        const taken = await client.eval(writeFenced, 1, effectsOf(message.id), String(fenceOf(context)))
        if (taken !== 1) throw new Error('stale owner')
      }),
  }
}
