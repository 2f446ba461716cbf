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

const native = custom(
  "an object of the broker's own arguments",
  (value) => typeof value === 'object' && value !== null,
)
const bounds = { maxMessages: wholeNumber({ min: 1 }), maxBytes: wholeNumber({ min: 1 }) }
const ordering = { order: oneOf('none', 'key'), shards: wholeNumber({ min: 1, max: 1_000 }) }
const from = custom(
  '"earliest" or a valid Date',
  (value) => value === 'earliest' || (value instanceof Date && !Number.isNaN(value.getTime())),
)

/** Refuses a topology that cannot be meant, before anything of it is declared. */
export function checkTopology(where: string, topology: Topology): void {
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
        from,
        deadLetterQueue: text(),
        ...bounds,
        ...ordering,
        native,
      }),
    ),
  })
  for (const { name, deadLetterQueue } of topology.queues ?? []) {
    checkName(name, 'queue')
    checkDeadLetterQueue(where, name, deadLetterQueue)
  }
  for (const { name } of topology.topics ?? []) checkName(name, 'topic')
  for (const { topic, group, patterns, deadLetterQueue } of topology.subscriptions ?? []) {
    checkName(topic, 'topic')
    checkName(group, 'group')
    for (const pattern of patterns ?? []) checkPattern(pattern)
    checkDeadLetterQueue(where, `${topic}/${group}`, deadLetterQueue)
  }
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
