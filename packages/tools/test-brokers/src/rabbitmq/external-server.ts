import { readAmqpVersion } from './amqp-handshake.ts'
import { isVersion } from './find-installation.ts'
import type { RabbitmqOptions, RabbitmqServer } from './rabbitmq-server.ts'

const variable = 'POSTHORN_RABBITMQ_URL'
const managementVariable = 'POSTHORN_RABBITMQ_MANAGEMENT_URL'

/** The server that `POSTHORN_RABBITMQ_URL` names, if it is what is wanted. */
export async function findExternalServer({
  version: wanted = 'any',
  nodes = 1,
  plugins = [],
  config,
  files,
}: RabbitmqOptions): Promise<RabbitmqServer | { readonly reason: string }> {
  const url = process.env[variable]
  if (url === undefined || url === '') return { reason: `${variable} is not set` }
  if (nodes > 1 || config !== undefined || files !== undefined) {
    return { reason: `the server of ${variable} cannot be configured` }
  }
  const managementUrl = process.env[managementVariable]
  if (plugins.length > 0 && managementUrl === undefined) return { reason: `${managementVariable} is not set` }

  const { hostname, port, protocol } = new URL(url)
  const version = await readAmqpVersion(hostname, Number(port || 5672))
  if (version === undefined) {
    const hint = protocol === 'amqps:' ? ' (its port has to speak plain AMQP, not TLS)' : ''
    throw new Error(`Nobody answers at ${hostname}:${port || 5672}, which ${variable} names${hint}`)
  }
  if (!isVersion(version, wanted)) return { reason: `the server of ${variable} is ${version}` }
  return createExternalServer(url, version, managementUrl)
}

function createExternalServer(
  url: string,
  version: string,
  managementUrl: string | undefined,
): RabbitmqServer {
  const refuse = (action: string): never => {
    throw new Error(
      `Cannot ${action} the server of ${variable}: it was not started here. Unset ${variable} for this test`,
    )
  }
  const node = {
    name: new URL(url).host,
    url,
    pid: undefined,
    running: true,
    kill: async () => refuse('kill'),
    pause: () => refuse('pause'),
    resume: () => refuse('resume'),
    restart: async () => refuse('restart'),
    ctl: async () => refuse('control'),
  }
  return {
    ...node,
    version,
    external: true,
    nodes: [node],
    urls: [url],
    managementUrl,
    sync: async () => refuse('sync'),
    reset: async () => refuse('reset'),
    stop: async () => undefined,
  }
}
