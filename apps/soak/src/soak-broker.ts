import type { TcpProxy } from '@posthorn/test-brokers'
import type { Transport } from '@posthorn/transport'

/** What stands between a member and the server. */
export type SoakProxy = Pick<TcpProxy, 'url' | 'cut' | 'reset' | 'halfOpen' | 'heal' | 'close'>

/** A server that the soak has to itself; of a cluster one node after the other is killed, or frozen. */
export interface SoakServer {
  /** With its version, for people: `RabbitMQ 3.10.8`. */
  readonly name: string
  /** What the proxies in front of it lead to. */
  readonly url: string
  /** Of the server's process now. */
  readonly pid: number | undefined
  /** Has everything that was declared on its disk. */
  sync(): Promise<void>
  /** SIGKILL, as a crash. */
  kill(): Promise<void>
  /** Starts it again on the same ports and data. */
  restart(): Promise<void>
  pause(): void
  resume(): void
  /** All that it holds, delayed and unsettled messages included: how many by the name of each place that is not empty. */
  contents(): Promise<Readonly<Record<string, number>>>
  stop(): Promise<void>
}

/** How the soak has to do with a broker. A new one is a module with these functions, and a line in `findBroker`. */
export interface SoakBroker {
  /** Rejects with `ServerUnavailable` where there is no such server to be had. `version`: as of the test servers. */
  start(version: string | undefined): Promise<SoakServer>
  startProxy(server: string): Promise<SoakProxy>
  /** How a producer or worker connects, through a proxy with this URL. */
  connect(url: string): Promise<Transport>
}

const brokers: Readonly<Record<string, () => Promise<SoakBroker>>> = {
  rabbitmq: () => import('./rabbitmq.ts'),
  kafka: () => import('./kafka.ts'),
}

export const brokerNames: readonly string[] = Object.keys(brokers)

/** Throws when there is no broker of this name. */
export async function findBroker(name: string): Promise<SoakBroker> {
  const load = Object.hasOwn(brokers, name) ? brokers[name] : undefined
  if (load === undefined)
    throw new Error(`There is no broker "${name}". There are: ${brokerNames.join(', ')}.`)
  return load()
}
