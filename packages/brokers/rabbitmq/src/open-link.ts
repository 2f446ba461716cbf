import { connect, credentials, type ChannelModel } from 'amqplib'
import { askRefusal } from './ask-refusal.ts'
import { parseUrl } from './broker-url.ts'
import { connectAborted, connectError, isVirtualHostRefused } from './connect-error.ts'
import type { RabbitmqSettings } from './options.ts'
import type { Clock, DriverHost, PosthornError } from '@posthorn/transport/driver'
import type { Socket } from 'node:net'

/** One AMQP connection, and the socket that amqplib keeps to itself. */
export interface Link {
  readonly model: ChannelModel
  readonly socket: Socket
  readonly version: string | undefined
  /** Bytes of the largest frame that both sides take. */
  readonly frameMax: number
}

/** So much leaves in one go. Bytes; Node's 64 KiB are a hundred messages, and each one after them a system call. */
const writeBuffer: object = { writableHighWaterMark: 1024 * 1024 }

/** How long one node may take to answer, before the next one is tried. Milliseconds. */
const handshakeMs = 10_000

/**
 * Connects to one of the nodes, trying them in random order. Rejects at once when the login is refused, which is the same on
 * all nodes; otherwise with the last node's error, rather one that may pass.
 */
export async function openLink(
  settings: RabbitmqSettings,
  purpose: string,
  { clock, signal }: Pick<DriverHost, 'clock' | 'signal'>,
): Promise<Link> {
  let last: PosthornError = connectAborted()
  for (const url of shuffle(settings.urls, clock)) {
    if (signal.aborted) throw connectAborted()
    const { connect: node, address } = parseUrl(url)
    try {
      const model = await connect(
        { ...node, heartbeat: settings.heartbeatS },
        {
          ...settings.tls,
          timeout: handshakeMs,
          noDelay: true,
          keepAlive: true,
          ...writeBuffer,
          clientProperties: { connection_name: `posthorn ${purpose}` },
          ...(settings.auth === 'external' ? { credentials: credentials.external() } : {}),
        },
      )
      return watch(model, signal)
    } catch (error) {
      const refusal = isVirtualHostRefused(error) ? await askRefusal(node, settings, clock) : undefined
      const problem = connectError(error, address, refusal)
      if (problem.code === 'POSTHORN_ACCESS_DENIED') throw problem
      if (problem.retryable || !last.retryable) last = problem
    }
  }
  throw last
}

function watch(model: ChannelModel, signal: AbortSignal): Link {
  const connection = model.connection as ChannelModel['connection'] & {
    readonly stream: Socket
    readonly frameMax: number
  }
  const socket = connection.stream
  // amqplib does not hear of a socket that is destroyed on this side; it would accept messages until the heartbeat ends.
  socket.on('close', () => socket.emit('error', new Error('the socket was closed')))
  model.on('error', () => undefined)
  if (signal.aborted) {
    socket.destroy()
    throw connectAborted()
  }
  const version: unknown = connection.serverProperties.version
  return {
    model,
    socket,
    version: typeof version === 'string' ? version : undefined,
    frameMax: connection.frameMax,
  }
}

function shuffle<Item>(items: readonly Item[], clock: Clock): Item[] {
  const left = [...items]
  const shuffled: Item[] = []
  while (left.length > 0) shuffled.push(...left.splice(Math.floor(clock.random() * left.length), 1))
  return shuffled
}
