import { randomBytes } from 'node:crypto'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Child } from '../process/child.ts'
import { findFreePorts } from '../process/find-free-ports.ts'
import { startGuard, type Guard } from '../process/guard.ts'
import { delay } from '../wall-clock.ts'
import type { RabbitmqInstallation } from './installation.ts'
import { LocalNode } from './local-node.ts'
import type { RabbitmqOptions, RabbitmqServer } from './rabbitmq-server.ts'
import { resetExpression, syncExpression } from './expressions.ts'

const managementPlugin = 'rabbitmq_management'
const epmdPollMs = 10

/** Starts the nodes with ports, names and folders that are theirs alone. */
export async function startLocalServer(
  installation: RabbitmqInstallation,
  { plugins = [], nodes: count = 1, config = {}, files = {} }: RabbitmqOptions,
): Promise<RabbitmqServer> {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-rabbitmq-'))
  const guard = startGuard(folder)
  const nodes: LocalNode[] = []
  let epmd: Child | undefined
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map(async (node) => node.kill()))
    await epmd?.kill()
    await guard.release()
  }
  try {
    const [epmdPort = 0, ...ports] = await findFreePorts(1 + 3 * count)
    await writeShared(folder, plugins, files)
    const suffix = randomBytes(4).toString('hex')
    const names = Array.from({ length: count }, (_, index) => `rabbit${index + 1}-${suffix}@localhost`)
    for (const [index, name] of names.entries()) {
      const [port = 0, distributionPort = 0, managementPort = 0] = ports.slice(index * 3)
      const lines = [
        ...Object.entries(config).map(([key, value]) => {
          return `${key} = ${String(value).replaceAll('{folder}', installation.folderInside(folder))}`
        }),
        `listeners.tcp.1 = 127.0.0.1:${port}`,
        ...(plugins.includes(managementPlugin)
          ? ['management.tcp.ip = 127.0.0.1', `management.tcp.port = ${managementPort}`]
          : []),
        ...(index > 0 ? joinLines(names[0]!, name) : []),
      ]
      nodes.push(
        new LocalNode({ name, port, distributionPort, epmdPort, folder, config: lines, installation, guard }),
      )
    }
    epmd = await startEpmd(installation, folder, epmdPort, guard)
    await Promise.all(nodes.map(async (node) => node.prepare()))
    const [first, ...others] = nodes
    await first?.start()
    await Promise.all(others.map(async (node) => node.start()))
    if (count > 1) await first?.ctl('await_online_nodes', String(count))
    const managementUrl = plugins.includes(managementPlugin)
      ? `http://guest:guest@127.0.0.1:${ports[2]}`
      : undefined
    return createServer(installation.version, nodes, managementUrl, stop)
  } catch (error) {
    await stop()
    throw error
  }
}

async function writeShared(
  folder: string,
  plugins: readonly string[],
  files: Readonly<Record<string, string>>,
): Promise<void> {
  await writeFile(join(folder, '.erlang.cookie'), randomBytes(16).toString('hex'), { mode: 0o400 })
  await writeFile(join(folder, 'enabled_plugins'), `[${plugins.join(',')}].\n`)
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
}

/** The first node knows of no other, so that it need not look for them before it starts. */
function joinLines(first: string, own: string): string[] {
  return [
    'cluster_formation.peer_discovery_backend = classic_config',
    `cluster_formation.classic_config.nodes.1 = ${first}`,
    `cluster_formation.classic_config.nodes.2 = ${own}`,
  ]
}

/** The nodes' name service. A node would start one that outlives it. */
async function startEpmd(
  installation: RabbitmqInstallation,
  folder: string,
  port: number,
  guard: Guard,
): Promise<Child> {
  const command = installation.command('epmd', folder, ['-port', String(port), '-address', '127.0.0.1'])
  const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin' }
  const logFile = join(folder, 'epmd.log')
  const child = new Child({ ...command, env, cwd: folder, logFile, guard, mark: `-port ${port}` })
  while (!(await accepts(port))) {
    if (!child.running) throw new Error(`epmd ended while it started:\n${child.logTail()}`)
    await delay(epmdPollMs)
  }
  return child
}

async function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

function createServer(
  version: string,
  nodes: readonly LocalNode[],
  managementUrl: string | undefined,
  stop: () => Promise<void>,
): RabbitmqServer {
  const first = nodes[0]!
  const runningNode = (): LocalNode => nodes.find((node) => node.running) ?? first
  return {
    name: first.name,
    url: first.url,
    urls: nodes.map((node) => node.url),
    version,
    external: false,
    nodes,
    managementUrl,
    get pid() {
      return first.pid
    },
    get running() {
      return nodes.some((node) => node.running)
    },
    async kill() {
      await Promise.all(nodes.map(async (node) => node.kill()))
    },
    pause() {
      for (const node of nodes) node.pause()
    },
    resume() {
      for (const node of nodes) node.resume()
    },
    async restart() {
      await Promise.all(nodes.map(async (node) => node.shutDown()))
      // Together, since those that went first wait for the one that went last.
      await Promise.all(nodes.map(async (node) => node.start()))
    },
    ctl: async (...args) => runningNode().ctl(...args),
    async sync() {
      const running = nodes.filter((node) => node.running)
      await Promise.all(running.map(async (node) => node.ctl('eval', syncExpression)))
    },
    async reset() {
      await runningNode().ctl('eval', resetExpression)
    },
    stop,
  }
}
