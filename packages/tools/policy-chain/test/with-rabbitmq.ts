import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { rabbitmq, type RabbitmqOptions } from '@posthorn/rabbitmq'
import { tryStartRabbitmq, type RabbitmqServer, type RabbitmqVersion } from '@posthorn/test-brokers'
import type { Transport } from '@posthorn/transport'

export interface RabbitmqBench {
  readonly url: string
  /** Closed after the test. */
  open(options?: Partial<RabbitmqOptions>): Promise<Transport>
}

/** Starts a server before the tests of this block, or skips them with the reason. */
export function withRabbitmq(version: RabbitmqVersion = '3.10'): RabbitmqBench {
  let server: RabbitmqServer | undefined
  let reason: string | undefined
  const opened: Transport[] = []

  beforeAll(async () => {
    // Installing it the first time takes as long as the network does.
    ;({ server, reason } = await tryStartRabbitmq({ version }))
  }, 180_000)
  beforeEach((context) => {
    if (reason !== undefined) context.skip(reason)
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((transport) => transport.close({ deadlineMs: 1_000 })))
  })
  afterAll(async () => {
    await server?.stop()
  })

  const url = (): string => {
    if (server === undefined) throw new Error('There is no server.')
    return server.url
  }
  return {
    get url() {
      return url()
    },
    async open(options = {}) {
      const transport = await rabbitmq({ url: url(), ...options })
      opened.push(transport)
      return transport
    },
  }
}
