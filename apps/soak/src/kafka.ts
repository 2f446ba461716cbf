import { connect as connectSocket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { kafka } from '@posthorn/kafka'
import {
  ServerUnavailable,
  startKafka,
  startTcpProxy,
  type KafkaVersion,
  type TestServer,
} from '@posthorn/test-brokers'
import { Kafka, logLevel, type Admin } from 'kafkajs'
import { queue } from './soak-queue.ts'
import type { Transport } from '@posthorn/transport'
import type { SoakProxy, SoakServer } from './soak-broker.ts'

const maxTries = 60
const pauseMs = 500

/** Of the URL of a proxy: the nodes that it stands for, in its order. */
const behind = 'behind'

export async function start(version: string | undefined): Promise<SoakServer> {
  const server = await startKafka({ version: (version ?? '4.3') as KafkaVersion, nodes: 3 })
  const [first] = server.nodes
  if (first === undefined) throw new ServerUnavailable('Kafka', ['it has no nodes'])
  let turn = 0
  let victim: TestServer = first
  const next = (): TestServer => {
    victim = server.nodes[turn % server.nodes.length] ?? first
    turn += 1
    return victim
  }
  return {
    name: `Kafka ${server.version}, three nodes`,
    url: server.url,
    get pid() {
      return first.pid
    },
    // What is declared is with two nodes or more.
    sync: async () => undefined,
    kill: async () => next().kill(),
    restart: async () => victim.restart(),
    pause: () => next().pause(),
    resume: () => victim.resume(),
    contents: async () => persist(server.brokers, contents),
    stop: async () => server.stop(),
  }
}

/** Since Kafka's nodes say where they are, a proxy for each of them, which the client is led to. */
export async function startProxy(server: string): Promise<SoakProxy> {
  const nodes = server.replace('kafka://', '').split(',')
  const proxies = await Promise.all(nodes.map((node) => startTcpProxy({ target: `tcp://${node}` })))
  const each = async (act: (proxy: SoakProxy) => Promise<void>): Promise<void> => {
    await Promise.all(proxies.map(act))
  }
  return {
    url: `kafka://${proxies.map(({ port }) => `127.0.0.1:${port}`).join(',')}?${behind}=${nodes.join(',')}`,
    cut: () => proxies.forEach((proxy) => proxy.cut()),
    reset: () => proxies.forEach((proxy) => proxy.reset()),
    halfOpen: () => proxies.forEach((proxy) => proxy.halfOpen()),
    heal: () => each((proxy) => proxy.heal()),
    close: () => each((proxy) => proxy.close()),
  }
}

/** Who is started while nodes are down waits for them. */
export async function connect(url: string): Promise<Transport> {
  const [given = '', query = ''] = url.replace('kafka://', '').split('?')
  const ports = given.split(',').map((address) => Number(address.split(':')[1]))
  const nodes = query === '' ? given.split(',') : query.replace(`${behind}=`, '').split(',')
  const client = new Kafka({
    clientId: 'soak',
    brokers: nodes,
    logLevel: logLevel.NOTHING,
    socketFactory({ host, port, onConnect }) {
      const node = nodes.indexOf(`${host}:${port}`)
      return connectSocket({ host, port: ports[node] ?? port }, onConnect)
    },
  })
  return kafka({ kafka: client, sendTimeoutMs: 15_000, connectTimeoutMs: 120_000 })
}

/** What is not worked off, and the dead letters. */
async function contents(admin: Admin): Promise<Readonly<Record<string, number>>> {
  const left = new Map<string, number>()
  const topics = [queue, `${queue}..retry`]
  const committed = await admin.fetchOffsets({ groupId: queue, topics })
  for (const { topic, partitions } of committed) {
    const ends = await admin.fetchTopicOffsets(topic)
    for (const { partition, offset } of partitions) {
      const end = ends.find((one) => one.partition === partition)
      const open = Number(end?.high ?? 0) - Math.max(Number(offset), Number(end?.low ?? 0))
      if (open > 0) left.set(topic, (left.get(topic) ?? 0) + open)
    }
  }
  const letters = await admin.fetchTopicOffsets(`${queue}.dlq`)
  const dead = letters.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0)
  if (dead > 0) left.set(`${queue}.dlq`, dead)
  return Object.fromEntries(left)
}

/** kafkajs gives up easily while nodes are down. */
async function persist<Value>(
  brokers: readonly string[],
  act: (admin: Admin) => Promise<Value>,
): Promise<Value> {
  for (let tries = 1; ; tries += 1) {
    const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin()
    try {
      await admin.connect()
      return await act(admin)
    } catch (error) {
      if (tries === maxTries) throw error
    } finally {
      await admin.disconnect()
    }
    await sleep(pauseMs)
  }
}
