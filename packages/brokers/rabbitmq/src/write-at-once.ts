import type { ChannelModel } from 'amqplib'
import type { Writable } from 'node:stream'

/** What amqplib 2.3 keeps to itself: it carries frames from the buffers of channels to the socket. */
interface Muxer {
  _readIncoming(): void
}

/** The part of a link that is needed here. */
export interface WritingLink {
  readonly model: { readonly connection: ChannelModel['connection'] }
  readonly socket: Pick<Writable, 'cork' | 'uncork'>
}

/**
 * Has all that is given to amqplib until the calls on the stack have ended leave then, in one system call. By itself amqplib
 * writes a turn of the event loop later, each frame for itself. To be called after something was given to it.
 */
export function writeAtOnce({ model, socket }: WritingLink): () => void {
  const { muxer } = model.connection as { readonly muxer?: Partial<Muxer> }
  // Nobody has promised that it stays so. Without it the same leaves a turn later.
  if (muxer?._readIncoming === undefined) return () => undefined
  const read = muxer._readIncoming.bind(muxer)
  let isDue = false
  const write = (): void => {
    isDue = false
    socket.cork()
    read()
    socket.uncork()
  }
  return () => {
    if (isDue) return
    isDue = true
    // The buffers say in a tick of their own that there is something in them.
    process.nextTick(() => process.nextTick(write))
  }
}
