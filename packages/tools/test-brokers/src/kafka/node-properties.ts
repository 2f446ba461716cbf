/** One node of a cluster, as all of them know it. */
export interface NodePorts {
  readonly id: number
  readonly port: number
  readonly controllerPort: number
  /** Of the further listeners, by name. */
  readonly listenerPorts: Readonly<Record<string, number>>
}

/** The configuration of a node that is broker and controller. */
export function nodeProperties(
  node: NodePorts,
  all: readonly NodePorts[],
  protocol: string,
  listeners: Readonly<Record<string, string>>,
  folder: string,
  config: Readonly<Record<string, string | number | boolean>>,
): string {
  const forClients = [
    `CLIENTS://127.0.0.1:${node.port}`,
    ...Object.entries(node.listenerPorts).map(([name, port]) => `${name}://127.0.0.1:${port}`),
  ].join(',')
  const protocols = Object.entries({ CLIENTS: protocol, CONTROLLER: 'PLAINTEXT', ...listeners })
  const replicas = all.length
  const inSync = Math.min(2, replicas)
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': node.id,
    'controller.quorum.voters': all
      .map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`)
      .join(','),
    listeners: `${forClients},CONTROLLER://127.0.0.1:${node.controllerPort}`,
    'advertised.listeners': forClients,
    'inter.broker.listener.name': 'CLIENTS',
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': protocols.map((own) => own.join(':')).join(','),
    'log.dirs': `${folder}/data`,
    'default.replication.factor': replicas,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': replicas,
    // Fifty by default, each with files of its own.
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.num.partitions': 4,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    // Three seconds by default, for more members to join.
    'group.initial.rebalance.delay.ms': 0,
    // A topic that is made by a typo is what nobody wants.
    'auto.create.topics.enable': false,
    ...config,
  }
  const line = ([key, value]: [string, string | number | boolean]): string =>
    `${key}=${String(value).replaceAll('{folder}', folder)}`
  return `${Object.entries(properties).map(line).join('\n')}\n`
}
