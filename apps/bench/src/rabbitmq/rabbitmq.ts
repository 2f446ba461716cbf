import { ServerUnavailable, startRabbitmq } from '@posthorn/test-brokers'
import { connect } from 'amqplib'
import { inChild } from '../in-child.ts'
import type { FlatParameters, FlatResult } from './flat-child.ts'
import type { FrozenParameters, FrozenResult } from './frozen-child.ts'
import { comparison } from './comparison.ts'
import { clientNames } from './bench-client.ts'
import { runRounds, summary, type Contender } from '../contest/rounds.ts'
import type { Goal } from '../goal.ts'
import type { Scenario } from '../scenario.ts'

const version = '3.10'

/** The young generation in its full size from the start, in MB, so that its growth is not taken for ours. */
const fixedHeap = ['--min-semi-space-size=16', '--max-semi-space-size=16']

/** The transport on RabbitMQ, beside the client that it is made of and a peer. */
export const rabbitmqScenario: Scenario = {
  name: 'rabbitmq',
  description: 'publish, consume and one at a time on RabbitMQ, beside raw amqplib and rascal',
  async run({ quick }) {
    const rounds = quick ? 3 : 7
    const messages = quick
      ? { publish: 10_000, consume: 30_000, exchange: 300 }
      : { publish: 50_000, consume: 100_000, exchange: 3_000 }
    const flat: Omit<FlatParameters, 'url'> = quick
      ? { messages: 60_000, step: 20_000 }
      : { messages: 1_000_000, step: 100_000 }
    const frozen: FrozenParameters = { version, sends: quick ? 100_000 : 1_000_000, sendTimeoutMs: 2_000 }
    const { series, rss } = await onServer(async (url, deleteQueue) => ({
      series: await runRounds({
        url,
        rounds,
        module: './rabbitmq/contender-child.ts',
        contenders: contenders(messages),
        deleteQueue,
      }),
      rss: await inChild<FlatResult>('./rabbitmq/flat-child.ts', { ...flat, url }, fixedHeap),
    }))
    const held = await inChild<FrozenResult>('./rabbitmq/frozen-child.ts', frozen, fixedHeap)

    const { rows, goals } = comparison(series)
    const first = rss[0] ?? Number.NaN
    const last = rss.at(-1) ?? Number.NaN
    const { ended } = held
    const full = held.rss[0] ?? Number.NaN
    const highest = Math.max(...held.rss)
    const open = frozen.sends - ended.confirmed - ended.rejected - ended.unknown
    const sends = frozen.sends.toLocaleString('en')
    return {
      head: ['what', 'median', 'per s of processor', '× wall', '× processor', 'rounds'],
      rows: [
        ...rows,
        [`RSS after ${flat.step.toLocaleString('en')} messages`, megabytes(first), '', '', '', '1'],
        [
          `RSS after ${flat.messages.toLocaleString('en')}`,
          megabytes(last),
          '',
          (last / first).toFixed(2),
          '',
          '1',
        ],
        ['RSS, broker frozen, after a tenth of the sends', megabytes(full), '', '', '', '1'],
        [
          `the highest while ${sends} were sent`,
          megabytes(highest),
          '',
          (highest / full).toFixed(2),
          '',
          '1',
        ],
        [
          'of these rejected, unknown, without an end',
          `${ended.rejected}, ${ended.unknown}, ${open}`,
          '',
          '',
          '',
          '1',
        ],
      ],
      goals: [
        ...goals,
        goal('flat', last / first, 1.2, 'x'),
        goal('frozen', highest / full, 1.2, 'x'),
        goal('frozen-open', open, 0, ' sends'),
      ],
      data: { rounds, messages, series: series.map(summary), flat, rss, frozen, held },
    }
  },
}

/** Rascal has a fifth of the messages, of which it makes as long; how raw clients ack concerns consuming only. */
function contenders(messages: Readonly<Record<'publish' | 'consume' | 'exchange', number>>): Contender[] {
  return (['publish', 'consume', 'exchange'] as const).flatMap((kind) =>
    clientNames
      .filter((client) => kind === 'consume' || client !== 'raw, acks by 50')
      .map((client) => ({ kind, client, messages: messages[kind] / (client === 'rascal' ? 5 : 1) })),
  )
}

async function onServer<Result>(
  work: (url: string, deleteQueue: (queue: string) => Promise<void>) => Promise<Result>,
): Promise<Result> {
  const server = await startRabbitmq({ version }).catch(async (error: unknown) => {
    // Whatever can be had is better than nothing.
    if (error instanceof ServerUnavailable) return startRabbitmq()
    throw error
  })
  console.log(`RabbitMQ ${server.version}, on this machine\n`)
  const connection = await connect(server.url)
  try {
    const channel = await connection.createChannel()
    return await work(server.url, async (queue) => {
      await channel.deleteQueue(queue)
    })
  } finally {
    await connection.close()
    await server.stop()
  }
}

function goal(name: string, measured: number, wanted: number, unit: string): Goal {
  return { name: `rabbitmq.${name}`, measured, wanted, unit, kind: 'atMost' }
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`
}
