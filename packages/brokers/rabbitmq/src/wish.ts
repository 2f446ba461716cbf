import { heldQueue } from './names.ts'
import { note } from './note.ts'
import type { ConsumerParts, ConsumerTarget } from './consumer-parts.ts'
import type { WireMessage } from '@posthorn/transport/driver'

/** Says to whoever has a queue how much another instance wants it. */
export const wishHeader = 'posthorn-wish'

/** For so long a wish goes on to the next owners, and who gave way stays away. Milliseconds. */
export const wishMs = 5_000

/** Between two wishes of one who waits: at first, and at the most. Milliseconds. */
const firstPauseMs = 500
const longestPauseMs = 30_000

export interface WishOptions {
  readonly parts: ConsumerParts
  readonly target: ConsumerTarget
  readonly isWaiting: () => boolean
}

/**
 * Tells whoever has a queue how much it is wanted here, again and again while it is waited for. Answers how to stop.
 *
 * Not by the priorities of consumers: since 4.3, an owner that ends while one of a higher priority waits for what it holds
 * stays in the line, dead, and gets the queue for ever once the others have left.
 */
export function keepWishing({ parts, target, isWaiting }: WishOptions): () => void {
  const { clock, publisher } = parts
  const queue = heldQueue(target.queue)
  let pauseMs = firstPauseMs
  let isStopped = false
  let cancel = clock.setTimer(look, pauseMs)

  function look(): void {
    void wish()
      .catch(() => undefined)
      .then(() => {
        if (isStopped) return
        pauseMs = Math.min(longestPauseMs, 2 * pauseMs)
        cancel = clock.setTimer(look, pauseMs)
      })
  }

  async function wish(): Promise<void> {
    if (!isWaiting()) return
    // Where nobody reads the records, nobody has had anything of the queue yet.
    const readers = await parts.openSideQueue(queue)
    if (readers === 0 || !isWaiting()) return
    const now = clock.now()
    const headers = { [wishHeader]: String(target.rank) }
    await publisher.copyToQueues(
      [{ routingKey: queue, message: note(parts.createId(), now), headers }],
      now + wishMs,
    )
  }

  return () => {
    isStopped = true
    cancel()
  }
}

/** Whether a wish is of a time that is over, or, where the clocks of instances differ so much, may be. */
export function isPast(wish: Pick<WireMessage, 'time'>, now: number): boolean {
  return Math.abs(now - wish.time) > wishMs
}
