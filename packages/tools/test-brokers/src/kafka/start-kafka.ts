import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { orReason } from '../install/server-unavailable.ts'
import { findFreePorts } from '../process/find-free-ports.ts'
import { startGuard } from '../process/guard.ts'
import { lastLines, runProgram } from '../process/run-program.ts'
import { externalServer, startServer } from '../process/start-server.ts'
import type { TestServer } from '../process/test-server.ts'
import { findKafka, type KafkaInstallation } from './find-kafka.ts'
import type { KafkaOptions, KafkaServer } from './kafka-server.ts'
import { nodeProperties, type NodePorts } from './node-properties.ts'

const variable = 'POSTHORN_KAFKA_URL'

/**
 * Starts a Kafka on free ports with data folders of its own, from Maven Central (Java 17), or uses the one that
 * `POSTHORN_KAFKA_URL` names when nothing but a broker is wanted. Rejects with `ServerUnavailable` when there is no way to
 * have it on this machine. It ends with this process, however that ends.
 */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaServer> {
  const given = process.env[variable]
  if (given !== undefined && given !== '' && Object.keys(options).length === 0) {
    const server = externalServer(given, variable)
    return { ...server, brokers: new URL(given).host.split(','), nodes: [server], listeners: {} }
  }
  const installation = await findKafka(options.version ?? '4.3', variable)
  const count = options.nodes ?? 1
  const names = Object.keys(options.listeners ?? {})
  const ports = await findFreePorts((2 + names.length) * count)
  const all = Array.from({ length: count }, (_, index): NodePorts => ({
    id: index + 1,
    port: ports[index]!,
    controllerPort: ports[count + index]!,
    listenerPorts: Object.fromEntries(
      names.map((name, place) => [name, ports[(2 + place) * count + index]!] as const),
    ),
  }))
  // A cluster id is 16 bytes, in a form that no argument of a program is mistaken for.
  const clusterId = `A${randomBytes(16).toString('base64url').slice(1, 22)}`
  const starting = await Promise.allSettled(
    all.map((node) => startNode(node, all, clusterId, installation, options)),
  )
  const nodes = starting.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const failure = starting.find((one) => one.status === 'rejected')
  if (failure !== undefined) {
    await Promise.all(nodes.map((node) => node.stop()))
    throw failure.reason
  }
  return together(
    nodes,
    all.map(({ port }) => `127.0.0.1:${port}`),
    Object.fromEntries(
      names.map((name) => [name, all.map(({ listenerPorts }) => `127.0.0.1:${listenerPorts[name]}`)]),
    ),
  )
}

/** The same for tests that are skipped, with the printed reason, when it cannot be had. With `CI=true` it rejects. */
export async function tryStartKafka(options: KafkaOptions = {}): ReturnType<typeof orReason<KafkaServer>> {
  return orReason(startKafka(options))
}

async function startNode(
  node: NodePorts,
  all: readonly NodePorts[],
  clusterId: string,
  { version, classPath }: KafkaInstallation,
  { protocol = 'PLAINTEXT', listeners = {}, config = {}, files = {}, scramUsers = {} }: KafkaOptions,
): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-kafka-'))
  const guard = startGuard(folder)
  try {
    const properties = join(folder, 'server.properties')
    await writeFile(properties, nodeProperties(node, all, protocol, listeners, folder, config))
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)

    const users = Object.entries(scramUsers).flatMap(([name, password]) => [
      '--add-scram',
      `SCRAM-SHA-256=[name=${name},password=${password}]`,
      '--add-scram',
      `SCRAM-SHA-512=[name=${name},password=${password}]`,
    ])
    const format = ['format', '-t', clusterId, '-c', properties, ...users]
    const formatted = await runProgram('java', ['-cp', classPath, 'kafka.tools.StorageTool', ...format])
    if (formatted.code !== 0) throw new Error(`Kafka's StorageTool failed: ${lastLines(formatted)}`)

    const log = '-Dorg.slf4j.simpleLogger'
    const java = [
      // Little memory, and no time for compiling well.
      ...['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
      // What it says when it is ready, and what goes wrong.
      ...[`${log}.defaultLogLevel=warn`, `${log}.log.kafka.server.KafkaRaftServer=info`],
      ...['-cp', classPath],
    ]
    let starts = 0
    return await startServer({
      name: `Kafka ${version}, node ${node.id}`,
      url: `kafka://127.0.0.1:${node.port}`,
      version,
      file: 'java',
      args: [...java, 'kafka.Kafka', properties],
      folder,
      guard,
      // It says so when the controllers know it and it takes requests; earlier starts have said it in the same file.
      isReady: async () => {
        const said =
          (await readFile(join(folder, 'output.log'), 'utf8')).split('Kafka Server started').length - 1
        if (said <= starts) return false
        starts = said
        return true
      },
    })
  } catch (error) {
    await guard.release()
    throw error
  }
}

function together(
  nodes: readonly TestServer[],
  brokers: readonly string[],
  listeners: KafkaServer['listeners'],
): KafkaServer {
  const [first] = nodes
  const each = async (act: (node: TestServer) => Promise<void>): Promise<void> => {
    await Promise.all(nodes.map(act))
  }
  return {
    url: `kafka://${brokers.join(',')}`,
    version: first?.version,
    external: false,
    brokers,
    nodes,
    listeners,
    get pid() {
      return first?.pid
    },
    get running() {
      return nodes.some(({ running }) => running)
    },
    kill: () => each((node) => node.kill()),
    pause: () => nodes.forEach((node) => node.pause()),
    resume: () => nodes.forEach((node) => node.resume()),
    restart: () => each((node) => node.restart()),
    stop: () => each((node) => node.stop()),
  }
}
