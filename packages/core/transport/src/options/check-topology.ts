import type { Topology } from '../contract/topology.ts'
import { PosthornError } from '../errors.ts'
import { checkName } from '../routing/names.ts'
import { checkPattern } from '../routing/pattern.ts'
import {
  checkOptions,
  custom,
  duration,
  list,
  oneOf,
  required,
  shape,
  text,
  wholeNumber,
} from './check-options.ts'
import { startRule } from './start-rule.ts'

const native = custom(
  "an object of the broker's own arguments",
  (value) => typeof value === 'object' && value !== null,
)
const bounds = { maxMessages: wholeNumber({ min: 1 }), maxBytes: wholeNumber({ min: 1 }) }
const ordering = { order: oneOf('none', 'key'), shards: wholeNumber({ min: 1, max: 1_000 }) }

/** Refuses a topology that cannot be meant, before anything of it is declared. */
export function checkTopology(where: string, topology: Topology): void {
  if (topology === undefined) {
    const text = `${where} takes a topology: { queues, topics, subscriptions }, each of which may be left out.`
    throw new PosthornError('POSTHORN_INVALID_OPTION', text, { phase: 'options' })
  }
  checkOptions(where, topology, {
    queues: list(
      shape({
        name: required(text()),
        deadLetterQueue: text(),
        deduplicationWindowMs: duration({ min: 1 }),
        ...bounds,
        ...ordering,
        native,
      }),
    ),
    topics: list(shape({ name: required(text()), native })),
    subscriptions: list(
      shape({
        topic: required(text()),
        group: required(text()),
        patterns: list(text(), { min: 1 }),
        from: startRule,
        deadLetterQueue: text(),
        ...bounds,
        ...ordering,
        native,
      }),
    ),
  })
  const { queues = [], topics = [], subscriptions = [] } = topology
  for (const { name, deadLetterQueue } of queues) {
    checkName(name, 'queue')
    checkDeadLetterQueue(where, name, deadLetterQueue)
  }
  for (const { name } of topics) checkName(name, 'topic')
  for (const { topic, group, patterns, deadLetterQueue } of subscriptions) {
    checkName(topic, 'topic')
    checkName(group, 'group')
    for (const pattern of patterns ?? []) checkPattern(pattern)
    checkDeadLetterQueue(where, `${topic}/${group}`, deadLetterQueue)
  }
  const groups = subscriptions.map(({ topic, group }) => `${topic}/${group}`)
  refuseRepeated(
    where,
    'queue',
    queues.map(({ name }) => name),
  )
  refuseRepeated(
    where,
    'topic',
    topics.map(({ name }) => name),
  )
  refuseRepeated(where, 'subscription', groups)
  const deadLetterQueues = [
    ...queues.map(({ name, deadLetterQueue }) => deadLetterQueue ?? `${name}.dlq`),
    ...subscriptions.map(({ deadLetterQueue }, index) => deadLetterQueue ?? `${groups[index]}.dlq`),
  ]
  refuseRepeated(where, 'dead-letter queue of two sources', deadLetterQueues)
}

/** Which of two declarations counts would depend on the broker. */
function refuseRepeated(where: string, what: string, names: readonly string[]): void {
  const seen = new Set<string>()
  const repeated = names.find((name) => seen.size === seen.add(name).size)
  if (repeated === undefined) return
  throw new PosthornError(
    'POSTHORN_INVALID_OPTION',
    `${where} names "${repeated}" twice, as a ${what}. Declare each once, and give each source a dead-letter queue of its own.`,
    { phase: 'options' },
  )
}

function checkDeadLetterQueue(where: string, source: string, deadLetterQueue: string | undefined): void {
  if (deadLetterQueue === undefined) return
  checkName(deadLetterQueue, 'queue')
  if (deadLetterQueue !== source) return
  throw new PosthornError(
    'POSTHORN_INVALID_OPTION',
    `${where}: "${source}" is its own dead-letter queue, so a failing message would go round for ever. ` +
      `Name another one, or leave deadLetterQueue out for "${source}.dlq".`,
    { phase: 'options' },
  )
}
