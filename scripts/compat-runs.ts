import type { ConformanceResults } from '../packages/core/conformance/src/table.ts'

/** One run of the conformance suite: a broker in one version, on one node or a cluster. */
export interface CompatRun {
  /** Also that of its results: `rabbitmq-3.10`. */
  readonly name: string
  readonly broker: string
  readonly version?: string
  /** The project and the file that vitest runs. */
  readonly project: 'unit' | 'broker'
  readonly file: string
}

const rabbitmq = (version: string): CompatRun => ({
  name: `rabbitmq-${version}`,
  broker: 'rabbitmq',
  version,
  project: 'broker',
  file: 'packages/brokers/rabbitmq/test/conformance.broker.test.ts',
})

const kafka = (version: string): CompatRun => ({
  name: `kafka-${version}`,
  broker: 'kafka',
  version,
  project: 'broker',
  file: 'packages/brokers/kafka/test/conformance.broker.test.ts',
})

const kafkaCluster = (version: string): CompatRun => ({
  ...kafka(version),
  name: `kafka-${version}-cluster`,
  file: 'packages/brokers/kafka/test/conformance-cluster.broker.test.ts',
})

export const compatRuns: readonly CompatRun[] = [
  {
    name: 'memory',
    broker: 'memory',
    project: 'unit',
    file: 'packages/core/conformance/test/memory.test.ts',
  },
  ...['3.10', '4.0', '4.3'].map(rabbitmq),
  ...['3.9', '4.0', '4.1', '4.3'].map(kafka),
  kafkaCluster('4.3'),
]

/** The runs that the words name, by their own name or their broker's; all of them without a word. */
export function chooseRuns(words: readonly string[]): readonly CompatRun[] {
  const unknown = words.find((word) => !compatRuns.some((run) => isMeant(run, word)))
  if (unknown !== undefined) {
    const known = compatRuns.map((run) => run.name).join(', ')
    throw new Error(`There is no "${unknown}". Choose from: ${known}, or a broker: memory, rabbitmq, kafka.`)
  }
  return words.length === 0
    ? compatRuns
    : compatRuns.filter((run) => words.some((word) => isMeant(run, word)))
}

const isMeant = (run: CompatRun, word: string): boolean => run.name === word || run.broker === word

/** Whether nothing failed, and nothing was left out. */
export function isComplete({ behaviours }: ConformanceResults): boolean {
  return behaviours.every(({ result }) => result !== 'failed' && result !== 'not shown')
}

/** What a run has shown, in a line; it has no results where it did not come to its end. */
export function describeRun(results: ConformanceResults | undefined): string {
  if (results === undefined) return 'it did not come to its end'
  const counts = (['shown', 'refused', 'declared', 'not shown', 'failed'] as const).map((result) => {
    const ids = results.behaviours.filter((one) => one.result === result).map((one) => one.id)
    const named = result === 'failed' || result === 'not shown' ? ` (${ids.join(', ')})` : ''
    return ids.length === 0 ? undefined : `${ids.length} ${result}${named}`
  })
  return counts.filter((count) => count !== undefined).join(', ')
}
