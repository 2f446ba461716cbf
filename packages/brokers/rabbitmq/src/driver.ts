import { RabbitmqConnection, type RabbitmqNative } from './connection.ts'
import { connectAborted } from './connect-error.ts'
import { toRabbitmqError } from './errors.ts'
import { Management } from './management.ts'
import { openLink } from './open-link.ts'
import type { RabbitmqSettings } from './options.ts'
import type { Driver, DriverHost } from '@posthorn/transport/driver'

export function createRabbitmqDriver(settings: RabbitmqSettings): Driver<RabbitmqNative> {
  let management: Management | undefined
  return {
    specificationVersion: 'v1',
    name: 'rabbitmq',
    async connect(host) {
      const { managementUrl } = settings
      if (managementUrl !== undefined && management === undefined) {
        const found = new Management(managementUrl, settings, host.clock)
        await found.check()
        // Checked once: what only helps must not end a transport that works.
        management = found
      }
      return whileWanted(host.signal, open(settings, host, management))
    },
  }
}

async function open(
  settings: RabbitmqSettings,
  host: DriverHost,
  management: Management | undefined,
): Promise<RabbitmqConnection> {
  const consuming = await openLink(settings, 'consuming', host)
  const publishing = await openLink(settings, 'publishing', host).catch((error: unknown) => {
    consuming.socket.destroy()
    throw error
  })
  const connection = new RabbitmqConnection(publishing, consuming, host, settings, management)
  try {
    await connection.ready()
    return connection
  } catch (error) {
    await connection.close()
    throw toRabbitmqError(error, 'a channel', { phase: 'connect' })
  }
}

/** amqplib cannot be told to give up, so that what comes too late is closed. */
async function whileWanted(
  signal: AbortSignal,
  opening: Promise<RabbitmqConnection>,
): Promise<RabbitmqConnection> {
  let giveUp = (): void => undefined
  const aborted = new Promise<never>((_, reject) => {
    giveUp = () => {
      reject(connectAborted())
      opening.then(
        (connection) => connection.close(),
        () => undefined,
      )
    }
  })
  signal.addEventListener('abort', giveUp, { once: true })
  try {
    return await Promise.race([opening, aborted])
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}
