import type { Clock } from '@posthorn/transport/driver'
import type { Writable } from 'node:stream'

/**
 * Has what amqplib writes from now on leave in few system calls: it writes each message by itself, at the end of this
 * turn of the event loop.
 */
export function gatherWrites(socket: Pick<Writable, 'cork' | 'uncork'>, clock: Clock): () => void {
  let isGathering = false
  return () => {
    if (isGathering) return
    isGathering = true
    socket.cork()
    // amqplib's own turn comes between these two.
    clock.defer(() =>
      clock.defer(() => {
        isGathering = false
        socket.uncork()
      }),
    )
  }
}
