import { setTimeout as delay } from 'node:timers/promises'
import { startKafka } from '@posthorn/test-brokers'
import { Kafka, logLevel, type Admin } from 'kafkajs'
import { runRounds, summary, type Contender } from '../contest/rounds.ts'
import { partitionsOf } from './bench-client.ts'
import { comparison } from './comparison.ts'
import { memory } from './memory.ts'
import type { Scenario } from '../scenario.ts'

/** What raw clients make in a second is less than we do where their handlers are one after the other. */
const inTurn = 1 / 8

/** The transport on Kafka, beside the client that it is made of and another one. */
export const kafkaScenario: Scenario = {
  name: 'kafka',
  description:
    'publish, consume, slow handlers and one at a time on Kafka, beside raw kafkajs and @platformatic/kafka',
  parts: ['publish', 'consume', 'handle', 'exchange', 'memory'],
  async run({ quick, full, only }) {
    const rounds = quick ? 3 : 5
    const isWanted = (part: string): boolean => only === undefined || only === part
    const contenders = contest(
      quick
        ? { publish: 30_000, consume: 50_000, handle: 1_600, exchange: 200 }
        : { publish: 100_000, consume: 200_000, handle: 4_800, exchange: 1_000 },
    ).filter(({ kind }) => isWanted(kind))
    const { series, flat } = await onServer(async (url, { makeTopic, deleteTopics }) => ({
      series: await runRounds({
        url,
        rounds: contenders.length === 0 ? -1 : rounds,
        module: './kafka/contender-child.ts',
        contenders,
        makeQueue: ({ client, kind, queue }) =>
          client.startsWith('posthorn') ? Promise.resolve() : makeTopic(queue, partitionsOf(kind)),
        deleteQueue: deleteTopics,
      }),
      flat: isWanted('memory') ? await memory({ url, quick, full, deleteTopics }) : undefined,
    }))
    const { rows, goals } = comparison(series)
    return {
      head: ['what', 'median', 'per s of processor', '× wall', '× processor', 'rounds'],
      rows: [...rows, ...(flat?.rows ?? [])],
      goals: [...goals, ...(flat?.goals ?? [])],
      data: { rounds, series: series.map(summary), memory: flat?.data },
    }
  },
}

function contest(
  messages: Readonly<Record<'publish' | 'consume' | 'handle' | 'exchange', number>>,
): Contender[] {
  const contender = (kind: keyof typeof messages, client: string, share = 1): Contender => {
    return { kind, client, messages: messages[kind] * share }
  }
  const own = ['posthorn', 'posthorn on platformatic']
  return [
    ...[...own, 'kafkajs', 'platformatic'].map((client) => contender('publish', client)),
    ...[...own, 'kafkajs', 'kafkajs, eachBatch', 'platformatic'].map((client) =>
      contender('consume', client),
    ),
    contender('handle', 'posthorn'),
    ...['kafkajs', 'platformatic'].map((client) => contender('handle', client, inTurn)),
    ...[...own, 'kafkajs', 'platformatic'].map((client) => contender('exchange', client)),
  ]
}

interface Topics {
  readonly makeTopic: (topic: string, partitions: number) => Promise<void>
  /** Those of a queue: its own, and where its retries and dead letters are. */
  readonly deleteTopics: (prefix: string) => Promise<void>
}

async function onServer<Result>(work: (url: string, topics: Topics) => Promise<Result>): Promise<Result> {
  const server = await startKafka()
  console.log(`Kafka ${server.version ?? ''}, ${server.brokers.length} node\n`)
  const admin = new Kafka({ brokers: [...server.brokers], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    return await work(server.url, {
      makeTopic: (topic, partitions) => makeTopic(admin, topic, partitions),
      async deleteTopics(prefix) {
        const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix))
        if (topics.length > 0) await admin.deleteTopics({ topics })
      },
    })
  } finally {
    await admin.disconnect()
    await server.stop()
  }
}

/** Resolves when it can be used. kafkajs's own wait for leaders rejects where the node has not heard of the topic yet. */
async function makeTopic(admin: Admin, topic: string, numPartitions: number): Promise<void> {
  await admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: false })
  for (let tries = 0; tries < 100; tries++) {
    await delay(50)
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] }).catch(() => ({ topics: [] }))
    const partitions = topics[0]?.partitions ?? []
    if (partitions.length === numPartitions && partitions.every(({ leader }) => leader >= 0)) return
  }
  throw new Error(`The topic ${topic} has no leaders after five seconds.`)
}
