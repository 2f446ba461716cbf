import { rabbitmq } from '@posthorn/rabbitmq'
import { ServerUnavailable, startRabbitmq, startTcpProxy, type RabbitmqVersion } from '@posthorn/test-brokers'
import type { Transport } from '@posthorn/transport'
import type { SoakProxy, SoakServer } from './soak-broker.ts'

/** With order by key the owner of a queue keeps one note in here, for the next one. */
const heldSuffix = '~held'

export async function start(version: string | undefined): Promise<SoakServer> {
  const server = await startRabbitmq({ version: (version ?? 'any') as RabbitmqVersion })
  if (server.external)
    throw new ServerUnavailable('RabbitMQ to be killed', [
      'that of POSTHORN_RABBITMQ_URL was not started here',
    ])
  return {
    name: `RabbitMQ ${server.version}`,
    url: server.url,
    get pid() {
      return server.pid
    },
    sync: async () => server.sync(),
    kill: async () => server.kill(),
    restart: async () => server.restart(),
    pause: () => server.pause(),
    resume: () => server.resume(),
    async contents() {
      const lines = await server.ctl('list_queues', 'name', 'messages', '--no-table-headers')
      const rows = lines.split('\n').flatMap((line) => {
        const [name = '', text = ''] = line.split('\t')
        const count = Number(text) - (name.endsWith(heldSuffix) ? 1 : 0)
        return count > 0 ? [[name, count] as const] : []
      })
      return Object.fromEntries(rows)
    },
    stop: async () => server.stop(),
  }
}

export async function startProxy(server: string): Promise<SoakProxy> {
  return startTcpProxy({ target: server })
}

/** A silent connection is given up after two heartbeats. Who is started while the server is down waits for it. */
export async function connect(url: string): Promise<Transport> {
  return rabbitmq({ url, heartbeatS: 5, sendTimeoutMs: 15_000, connectTimeoutMs: 120_000 })
}
