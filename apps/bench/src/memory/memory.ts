import { inChild } from '../in-child.ts'
import { median } from '../median.ts'
import type { Scenario } from '../scenario.ts'
import type { BacklogParameters, BacklogResult } from './backlog-child.ts'
import type { FlowTime } from '../flow.ts'
import type { FlatParameters, FlatResult } from './flat-child.ts'
import type { ThroughputParameters, ThroughputResult } from './throughput-child.ts'

const middlewares = 5

/** The transport on the in-memory broker: what the runner, codec, policy and settlement cost without a network. */
export const memoryScenario: Scenario = {
  name: 'memory',
  description: 'send → runner → handler → ack on the in-memory broker',
  async run({ quick }) {
    const throughput: ThroughputParameters = {
      messages: quick ? 300_000 : 1_000_000,
      rounds: quick ? 5 : 9,
      middlewares,
    }
    const flat: FlatParameters = { messages: quick ? 4_000_000 : 10_000_000, samples: quick ? 4 : 10 }
    const backlog: BacklogParameters = { messages: 1_000_000 }
    const speeds = await inChild<ThroughputResult>('./memory/throughput-child.ts', throughput)
    const rss = await inChild<FlatResult>('./memory/flat-child.ts', flat)
    const held = await inChild<BacklogResult>('./memory/backlog-child.ts', backlog)

    const { messages } = throughput
    const perSecond = (times: readonly FlowTime[], of: keyof FlowTime): number[] =>
      times.map((time) => messages / time[of])
    // By processor time, which is what one core would need for it alone; machines are shared.
    const plain = perSecond(speeds.plain, 'processor')
    // In pairs, so that a change of the machine's speed between rounds cancels out.
    const added = speeds.plain.map(
      (time, index) => (speeds.chained[index]?.processor ?? Number.NaN) - time.processor,
    )
    const addedMicros = (median(added) / messages) * 1e6
    const first = rss[0] ?? Number.NaN
    const last = rss.at(-1) ?? Number.NaN
    const perSample = (flat.messages / flat.samples).toLocaleString('en')
    const mega = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`
    return {
      head: ['what', 'median', 'lowest', 'highest', 'rounds'],
      rows: [
        ['messages a second of processor time', ...spread(plain)],
        [`the same with ${middlewares} empty middlewares`, ...spread(perSecond(speeds.chained, 'processor'))],
        ['messages a second on the wall', ...spread(perSecond(speeds.plain, 'wall'))],
        [
          `RSS after ${perSample} and ${flat.messages.toLocaleString('en')}`,
          `${mega(first)}, ${mega(last)}`,
          '',
          '',
          '1',
        ],
        [
          `RSS with ${backlog.messages.toLocaleString('en')} of ${held.bodyBytes} bytes waiting`,
          mega(held.rss),
          '',
          '',
          '1',
        ],
      ],
      goals: [
        { name: 'memory.throughput', measured: median(plain), wanted: 300_000, unit: '/s', kind: 'atLeast' },
        { name: 'memory.middleware', measured: addedMicros, wanted: 2, unit: 'us', kind: 'atMost' },
        { name: 'memory.flat', measured: last / first, wanted: 1.2, unit: 'x', kind: 'atMost' },
        { name: 'memory.backlog', measured: held.rss / 1e9, wanted: 1, unit: 'GB', kind: 'atMost' },
      ],
      data: { throughput, speeds, flat, rss, backlog, held },
    }
  },
}

function spread(values: readonly number[]): string[] {
  const round = (value: number): string => Math.round(value).toLocaleString('en')
  return [
    round(median(values)),
    round(Math.min(...values)),
    round(Math.max(...values)),
    String(values.length),
  ]
}
