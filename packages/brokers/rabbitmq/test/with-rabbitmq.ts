import { connect, type Channel, type ChannelModel } from 'amqplib'
import { rabbitmq, type RabbitmqNative, type RabbitmqOptions } from '@posthorn/rabbitmq'
import {
  tryStartRabbitmq,
  type RabbitmqOptions as ServerOptions,
  type RabbitmqServer,
  type RabbitmqVersion,
} from '@posthorn/test-brokers'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import type { Transport } from '@posthorn/transport'

export const version = (process.env['POSTHORN_RABBITMQ_VERSION'] ?? '3.10') as RabbitmqVersion

/** What eventually becomes true, does so within this time. Milliseconds. */
export const patience = { timeout: 15_000, interval: 10 } as const

// Installing it the first time takes as long as the network does.
const installMs = 180_000

/** A server of this file's own, and a plain client beside what is tested. */
export interface Bench {
  readonly server: RabbitmqServer
  /** A new one for each test. */
  readonly channel: Channel
  /** Not used by another test. */
  readonly name: (base: string) => string
  /** Closed after the test. */
  readonly open: (options?: Partial<RabbitmqOptions>) => Promise<Transport<RabbitmqNative>>
}

/** What a test wants of its server, or why it cannot be had. */
export type Wanted = ServerOptions & { readonly reason?: string }

/** Starts the server before the tests of this block, or skips them with the reason. */
export function withRabbitmq(want: () => Promise<Wanted> = async () => ({})): Bench {
  let server: RabbitmqServer | undefined
  let reason: string | undefined
  let plain: ChannelModel | undefined
  let channel: Channel | undefined
  let names = 0
  const opened: Transport[] = []

  beforeAll(async () => {
    const { reason: missing, ...wanted } = await want()
    const found = missing === undefined ? await tryStartRabbitmq({ version, ...wanted }) : { reason: missing }
    reason = found.reason
    if (found.reason !== undefined) return
    server = found.server
  }, installMs)

  /** A test may have ended the connection. */
  async function connected(): Promise<ChannelModel> {
    if (plain !== undefined) return plain
    const model = await connect(there(server).url)
    model.on('error', () => undefined)
    model.on('close', () => (plain = undefined))
    plain = model
    return model
  }

  beforeEach(async (context) => {
    if (reason !== undefined) return context.skip(reason)
    channel = await (await connected()).createChannel()
    channel.on('error', () => undefined)
  })

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((transport) => transport.close({ deadlineMs: 1_000 })))
    await channel?.close().catch(() => undefined)
  })

  afterAll(async () => {
    await plain?.close().catch(() => undefined)
    await server?.stop()
  })

  return {
    get server() {
      return there(server)
    },
    get channel() {
      return there(channel)
    },
    name: (base) => `${base}-${(names += 1)}`,
    async open(given = {}) {
      const where = given.urls === undefined ? { url: there(server).url } : {}
      const transport = await rabbitmq({ ...where, ...given })
      opened.push(transport)
      return transport
    },
  }
}

function there<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('There is no server.')
  return value
}
