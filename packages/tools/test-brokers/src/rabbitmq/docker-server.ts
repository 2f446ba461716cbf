import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findNoDocker, startContainer, type Container, type ContainerOptions } from '../install/docker.ts'
import { findFreePorts } from '../process/find-free-ports.ts'
import { delay, monotonicMs } from '../wall-clock.ts'
import { readAmqpVersion } from './amqp-handshake.ts'
import { resetExpression, syncExpression } from './expressions.ts'
import type { RabbitmqNode, RabbitmqOptions, RabbitmqServer, RabbitmqVersion } from './rabbitmq-server.ts'

const images: Readonly<Record<RabbitmqVersion, string>> = {
  '3.10': 'rabbitmq:3.10-management',
  '4.0': 'rabbitmq:4.0-management',
  '4.3': 'rabbitmq:4.3-management',
  any: 'rabbitmq:4-management',
}

/** Where the folder of a server is seen inside its container. */
const folderInside = '/srv/posthorn'
const startPatienceMs = 90_000
const shutdownPatienceS = 30
const pollMs = 50

/** One node in a container, or why there is none. */
export async function startInDocker(
  options: RabbitmqOptions,
): Promise<RabbitmqServer | { readonly reason: string }> {
  if (options.nodes === 3) return { reason: 'clusters are not started in Docker' }
  const reason = await findNoDocker()
  if (reason !== undefined) return { reason }

  const folder = await mkdtemp(join(tmpdir(), 'posthorn-rabbitmq-docker-'))
  // The server runs as another user.
  await chmod(folder, 0o755)
  const [port = 0, managementPort = 0] = await findFreePorts(2)
  await writeFiles(folder, options)
  const container = await startContainer(describeContainer(options, folder, { port, managementPort }))
  const stop = async (): Promise<void> => {
    await container.remove()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const version = await untilReady(port)
    return createServer(container, version, { port, managementPort }, options, stop)
  } catch (error) {
    await stop()
    throw error
  }
}

interface Ports {
  readonly port: number
  readonly managementPort: number
}

/** Its host name is part of the node's, by which the server finds its data again. */
export function describeContainer(
  { version = 'any', plugins = [] }: RabbitmqOptions,
  folder: string,
  { port, managementPort }: Ports,
): ContainerOptions {
  return {
    name: `posthorn-rabbitmq-${randomBytes(4).toString('hex')}`,
    image: images[version],
    ports: { [port]: 5672, ...(plugins.includes('rabbitmq_management') ? { [managementPort]: 15672 } : {}) },
    mounts: {
      [folder]: folderInside,
      [join(folder, 'posthorn.conf')]: '/etc/rabbitmq/conf.d/90-posthorn.conf',
      [join(folder, 'enabled_plugins')]: '/etc/rabbitmq/enabled_plugins',
    },
  }
}

async function writeFiles(
  folder: string,
  { plugins = [], config = {}, files = {} }: RabbitmqOptions,
): Promise<void> {
  const lines = Object.entries(config).map(
    ([key, value]) => `${key} = ${String(value).replaceAll('{folder}', folderInside)}\n`,
  )
  await writeFile(join(folder, 'posthorn.conf'), lines.join(''))
  await writeFile(join(folder, 'enabled_plugins'), `[${plugins.join(',')}].\n`)
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
}

async function untilReady(port: number): Promise<string> {
  const deadline = monotonicMs() + startPatienceMs
  for (;;) {
    const version = await readAmqpVersion('127.0.0.1', port)
    if (version !== undefined) return version
    if (monotonicMs() > deadline)
      throw new Error(`RabbitMQ in Docker did not answer on port ${port} in ${startPatienceMs} ms`)
    await delay(pollMs)
  }
}

function createServer(
  container: Container,
  version: string,
  { port, managementPort }: Ports,
  { plugins = [] }: RabbitmqOptions,
  stop: () => Promise<void>,
): RabbitmqServer {
  let running = true
  const url = `amqp://guest:guest@127.0.0.1:${port}`
  const ctl = async (...args: readonly string[]): Promise<string> =>
    container.execute('rabbitmqctl', '-q', ...args)
  const node: RabbitmqNode = {
    name: `rabbit@127.0.0.1:${port}`,
    url,
    pid: undefined,
    get running() {
      return running
    },
    async kill() {
      if (!running) return
      running = false
      await container.kill()
    },
    pause: () => container.pause(),
    resume: () => container.resume(),
    async restart() {
      if (running) await container.stop(shutdownPatienceS)
      await container.start()
      await untilReady(port)
      running = true
    },
    ctl,
  }
  return {
    ...node,
    get running() {
      return running
    },
    version,
    external: false,
    nodes: [node],
    urls: [url],
    managementUrl: plugins.includes('rabbitmq_management')
      ? `http://guest:guest@127.0.0.1:${managementPort}`
      : undefined,
    sync: async () => void (await ctl('eval', syncExpression)),
    reset: async () => void (await ctl('eval', resetExpression)),
    stop,
  }
}
