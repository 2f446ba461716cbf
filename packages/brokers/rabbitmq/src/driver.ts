import { RabbitmqConnection, type RabbitmqNative } from './connection.ts'
import { connectAborted, toRabbitmqError } from './errors.ts'
import { openLink } from './open-link.ts'
import type { RabbitmqSettings } from './options.ts'
import type { Driver, DriverHost } from '@posthorn/transport/driver'

export function createRabbitmqDriver(settings: RabbitmqSettings): Driver<RabbitmqNative> {
  let wasConnected = false
  return {
    specificationVersion: 'v1',
    name: 'rabbitmq',
    async connect(host) {
      const connection = await whileWanted(host.signal, open(settings, host, wasConnected))
      wasConnected = true
      return connection
    },
  }
}

async function open(
  settings: RabbitmqSettings,
  host: DriverHost,
  wasConnected: boolean,
): Promise<RabbitmqConnection> {
  const consuming = await openLink(settings, 'consuming', host, wasConnected)
  try {
    const publishing = await openLink(settings, 'publishing', host, wasConnected)
    const connection = new RabbitmqConnection(publishing, consuming, host, settings)
    await connection.ready()
    return connection
  } catch (error) {
    consuming.socket.destroy()
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
