import { Kafka, logLevel, type Admin } from 'kafkajs'
import { kafka } from '@posthorn/kafka'
import { systemClock } from '@posthorn/transport/driver'
import { Cluster } from '../src/cluster.ts'
import { Connections } from '../src/client/connections.ts'
import { kafkajsClient } from '../src/client/kafkajs-client.ts'
import { heartbeat, joinGroup, leaveGroup, syncGroup, type Joined } from '../src/protocol/group.ts'
import { kafkaErrors } from '../src/protocol/error-names.ts'
import { writeSubscription } from '../src/group-protocol.ts'
import {
  apis,
  committedPositions,
  corrupted,
  fetchedTopics,
  producedBatches,
  refusedCommit,
  type CommittedPosition,
} from './kafka-requests.ts'
import { readMetadata } from '../src/commit-metadata.ts'
import { connectBy } from './connect-by.ts'
import { KafkaSockets, type Fate, type Request } from './kafka-sockets.ts'
import type { Faults, OpenOptions, TransportHarness } from '@posthorn/conformance'
import type { KafkaServer } from '@posthorn/test-brokers'
import type { Transport } from '@posthorn/transport'

/** Of the protocol: an error that says nothing. */
const unknownError = -1

/** What is broken now, over all transports. */
class Trouble {
  unconfirmed = 0
  refused = 0
  failingLetters = 0
  failingCommits = 0
  isFrozen = false
  readonly stalled = new Set<string>()

  decide(request: Request): Fate {
    if (request.api === apis.produce) return this.decideOnProduce(request)
    if (request.api === apis.fetch) return this.isStalled(request) ? 'hold' : 'pass'
    if (request.api === apis.commit && this.failingCommits > 0) {
      const positions = committedPositions(request)
      // Others say only what is about to be handed out.
      if (!positions.some(isSettled)) return 'pass'
      this.failingCommits -= 1
      return { answer: refusedCommit(positions, unknownError) }
    }
    return 'pass'
  }

  isStalled(request: Request): boolean {
    return this.stalled.size > 0 && fetchedTopics(request).some((topic) => this.stalled.has(topic))
  }

  private decideOnProduce(request: Request): Fate {
    if (this.isFrozen) return 'hold'
    const batches = producedBatches(request)
    const letters = batches.filter(({ topic }) => topic.endsWith('.dlq'))
    if (letters.length > 0 && this.failingLetters > 0) {
      this.failingLetters -= letters.length
      return { send: corrupted(request, letters) }
    }
    const sends = batches.filter(({ topic }) => !topic.endsWith('.dlq') && !topic.includes('..'))
    if (sends.length === 0) return 'pass'
    const records = sends.reduce((sum, batch) => sum + batch.records, 0)
    if (this.refused > 0) {
      const refused = sends.slice(0, this.refused)
      // What is refused together is written again one by one.
      this.refused -= refused.filter((batch) => batch.records === 1).length
      return { send: corrupted(request, refused) }
    }
    if (this.unconfirmed === 0) return 'pass'
    this.unconfirmed = Math.max(0, this.unconfirmed - records)
    return 'unanswered'
  }
}

/** Whether something of a new topic is done. */
function isSettled({ offset, metadata }: CommittedPosition): boolean {
  return offset > 0 || readMetadata(offset, metadata).done.length > 0
}

export interface KafkaHarness extends TransportHarness {
  readonly server: KafkaServer
  readonly sockets: ReadonlyMap<Transport, KafkaSockets>
  readonly killed: Set<Transport>
  readonly trouble: Trouble
  refuse(on: boolean): void
  look(): void
  /** A plain client, whose connections are not interfered with. */
  admin(): Promise<Admin>
  plain: Kafka
  cluster(): Cluster
}

export function createKafkaHarness(server: KafkaServer): KafkaHarness {
  const sockets = new Map<Transport, KafkaSockets>()
  const killed = new Set<Transport>()
  const trouble = new Trouble()
  const plain = new Kafka({ brokers: [...server.brokers], logLevel: logLevel.NOTHING, clientId: '!plain' })
  const connections = new Connections(kafkajsClient(plain), systemClock)
  const cluster = new Cluster(connections, systemClock)
  let opened: Admin | undefined
  let refuses = false

  async function admin(): Promise<Admin> {
    if (opened !== undefined) return opened
    opened = plain.admin()
    await opened.connect()
    return opened
  }

  return {
    server,
    sockets,
    killed,
    trouble,
    clock: systemClock,
    plain,
    admin,
    cluster: () => cluster,
    refuse(on) {
      refuses = on
      for (const [transport, own] of sockets) if (!killed.has(transport)) own.refuse(on)
    },
    look() {
      for (const own of sockets.values()) own.look()
    },
    async open(given = {}) {
      const options: OpenOptions = { ...given }
      delete (options as { name?: string }).name
      const own = new KafkaSockets()
      own.decide = (request) => trouble.decide(request)
      own.keepsAnswer = (request) => request.api === apis.fetch && trouble.isStalled(request)
      own.refuse(refuses)
      const transport = await kafka({
        ...connectBy(server.brokers, own),
        partitions: 4,
        // Three brokers and all the rest on one machine stand still for longer now and then.
        sessionTimeoutMs: server.nodes.length === 1 ? 3_000 : 6_000,
        maxBodyBytes: 500_000,
        ...options,
      })
      sockets.set(transport, own)
      return transport
    },
    raw: {
      async put(queue, { body, headers }) {
        const producer = plain.producer({ allowAutoTopicCreation: false })
        await producer.connect()
        await producer.send({
          topic: queue,
          messages: [{ value: Buffer.from(body), headers: { ...headers } }],
        })
        await producer.disconnect()
      },
    },
    async close() {
      connections.close()
      await opened?.disconnect()
      for (const own of sockets.values()) {
        own.refuse(true)
        own.cut()
      }
    },
  }
}

function socketsOf({ sockets }: KafkaHarness, transport: Transport): KafkaSockets {
  const own = sockets.get(transport)
  if (own === undefined) throw new Error('This transport was not opened by this harness.')
  return own
}

export const kafkaFaults: Faults<KafkaHarness> = {
  kill(harness, transport) {
    harness.killed.add(transport)
    const own = socketsOf(harness, transport)
    own.refuse(true)
    own.cut()
  },
  cut(harness, transport) {
    const all = transport === 'all' ? [...harness.sockets.values()] : [socketsOf(harness, transport)]
    for (const own of all) own.cut()
  },
  async restart({ server }) {
    await server.kill()
    await server.restart()
  },
  refuse: (harness, on) => harness.refuse(on),
  loseConfirmations({ trouble }, count) {
    trouble.unconfirmed = count
  },
  rejectPublishes({ trouble }, count) {
    trouble.refused = count
  },
  freezePublishes(harness, on) {
    harness.trouble.isFrozen = on
    harness.look()
  },
  failDeadLetters({ trouble }, count) {
    trouble.failingLetters = count
  },
  failSettlements({ trouble }, count) {
    trouble.failingCommits = count
  },
  stall(harness, source, on) {
    const { stalled } = harness.trouble
    if (on) stalled.add(source)
    else stalled.delete(source)
    harness.look()
  },
  block: {
    cannotHappen:
      'Kafka never says that it takes nothing for now; what a broker cannot take it refuses or leaves waiting',
  },
  dropLeases: (harness, source) => removeMembers(harness, source),
  endConsumers: (harness, source) => removeMembers(harness, source),
  revoke: (harness, source) => takeAll(harness, source),
  async loseDeclared(harness, source) {
    const admin = await harness.admin()
    if (source.includes('/')) await admin.deleteGroups([source])
    else await admin.deleteTopics({ topics: [source] })
  },
}

/** Takes the members out of a group, as an administrator does; their connections live. */
async function removeMembers(harness: KafkaHarness, group: string): Promise<void> {
  const admin = await harness.admin()
  const { groups } = await admin.describeGroups([group])
  for (const { memberId } of groups[0]?.members ?? []) {
    await harness.cluster().askCoordinator(group, 'main', leaveGroup(group, memberId))
  }
}

/** Joins a group as one that has everything, so that the others give it up, and leaves again. */
async function takeAll(harness: KafkaHarness, group: string): Promise<void> {
  const cluster = harness.cluster()
  const purpose = `taker-${group}`
  const owned = ['slot', 'step', 'delay'].flatMap((kind) =>
    Array.from({ length: 16 }, (_, index) => `${kind}:${index}`),
  )
  const options = {
    group,
    sessionTimeoutMs: 6_000,
    rebalanceTimeoutMs: 60_000,
    protocol: 'posthorn',
    metadata: writeSubscription({ topics: [], owned }),
  }
  const join = async (memberId: string): Promise<Joined> => {
    const joined = await cluster.askCoordinator(group, purpose, joinGroup({ ...options, memberId }), 60_000)
    if (joined.error !== kafkaErrors.NONE) return joined
    await cluster.askCoordinator(group, purpose, syncGroup(group, joined, []), 60_000)
    return joined
  }
  const { memberId } = await join('')
  let joined = await join(memberId)
  // The others give up, one after the other, and join again each time to say so.
  const goOn = async (ms: number): Promise<void> => {
    const until = Date.now() + ms
    while (Date.now() < until) {
      const { error } = await cluster.askCoordinator(group, purpose, heartbeat(group, joined))
      if (error === kafkaErrors.REBALANCE_IN_PROGRESS) joined = await join(memberId)
      await cluster.pause(20)
    }
  }
  await goOn(300)
  void goOn(500)
    .then(() => cluster.askCoordinator(group, 'main', leaveGroup(group, memberId)))
    .catch(() => undefined)
    .finally(() => cluster.endConnections(purpose))
}
