import { orReason, ServerUnavailable } from '../install/server-unavailable.ts'
import { startInDocker } from './docker-server.ts'
import { findExternalServer } from './external-server.ts'
import { findInstallation } from './find-installation.ts'
import { startLocalServer } from './local-server.ts'
import type { RabbitmqOptions, RabbitmqServer } from './rabbitmq-server.ts'

/**
 * Starts a RabbitMQ on free ports with a data folder of its own, in three seconds or so; installing it the first time
 * may take two minutes. Rejects with `ServerUnavailable` when there is no way to have it on this machine. The server ends
 * with this process, however that ends.
 */
export async function startRabbitmq(options: RabbitmqOptions = {}): Promise<RabbitmqServer> {
  const external = await findExternalServer(options)
  if (!('reason' in external)) return external
  const { version = 'any' } = options
  const installation = await findInstallation(version)
  if (!('reasons' in installation)) return startLocalServer(installation, options)
  const inDocker = await startInDocker(options)
  if (!('reason' in inDocker)) return inDocker
  const name = version === 'any' ? 'RabbitMQ' : `RabbitMQ ${version}`
  throw new ServerUnavailable(name, [external.reason, ...installation.reasons, inDocker.reason])
}

/** The same for tests that are skipped, with the printed reason, when it cannot be had. With `CI=true` it rejects. */
export async function tryStartRabbitmq(
  options: RabbitmqOptions = {},
): ReturnType<typeof orReason<RabbitmqServer>> {
  return orReason(startRabbitmq(options))
}
