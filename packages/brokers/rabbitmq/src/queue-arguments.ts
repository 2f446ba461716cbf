import type { ArgumentValue } from './inequivalent-argument.ts'
import type { QueueDeclaration, SubscriptionDeclaration } from '@posthorn/transport/driver'

export type Arguments = Readonly<Record<string, ArgumentValue>>

type Declaration = Partial<
  Pick<
    QueueDeclaration & SubscriptionDeclaration,
    'maxMessages' | 'maxBytes' | 'order' | 'deadLetterQueue' | 'native'
  >
>

/** Far above the runner's own limits: the broker must never drop a message because it came back too often. */
const deliveryLimit = 1_000_000

/** Of queues that only hold what was put there: dead letters, what is held, what found no way home. */
export const sideQueueArguments: Arguments = { 'x-queue-type': 'quorum', 'x-delivery-limit': deliveryLimit }

/** Of a queue that is consumed; `deadLetterQueue` is the native name. */
export function sourceArguments(
  declaration: Declaration,
  deadLetterQueue: string,
  queueType: 'quorum' | 'classic',
): Arguments {
  const { maxMessages, maxBytes, order, native = {} } = declaration
  const type = native['x-queue-type'] ?? queueType
  const bounded = maxMessages !== undefined || maxBytes !== undefined
  return {
    ...(type === 'quorum'
      ? {
          ...sideQueueArguments,
          'x-overflow': 'reject-publish',
          'x-dead-letter-exchange': '',
          'x-dead-letter-routing-key': deadLetterQueue,
          'x-dead-letter-strategy': 'at-least-once',
        }
      : bounded
        ? { 'x-overflow': 'reject-publish' }
        : {}),
    ...(maxMessages === undefined ? {} : { 'x-max-length': maxMessages }),
    ...(maxBytes === undefined ? {} : { 'x-max-length-bytes': maxBytes }),
    ...(order === 'key' ? { 'x-single-active-consumer': true } : {}),
    ...(native as Arguments),
  }
}

/** The arguments that a declaration decides; what it leaves out fits whatever is there. */
export function askedArguments({
  maxMessages,
  maxBytes,
  order,
  deadLetterQueue,
  native = {},
}: Declaration): ReadonlySet<string> {
  const asked = new Set(Object.keys(native))
  if (maxMessages !== undefined) asked.add('x-max-length')
  if (maxBytes !== undefined) asked.add('x-max-length-bytes')
  if (order !== undefined) asked.add('x-single-active-consumer')
  if (deadLetterQueue !== undefined) asked.add('x-dead-letter-routing-key')
  return asked
}

/** Arguments that a queue may have or lack without harm to what is promised. */
const harmless: ReadonlySet<string> = new Set([
  'x-max-length',
  'x-max-length-bytes',
  'x-single-active-consumer',
  'x-overflow',
  'x-dead-letter-exchange',
  'x-dead-letter-routing-key',
  'x-dead-letter-strategy',
])

/**
 * Whether a queue that differs in this argument cannot be used as declared. What is only checked may be anybody's, of any
 * kind, so there only what was asked for counts.
 */
export function isMismatch(argument: string, asked: ReadonlySet<string>, mode: 'create' | 'check'): boolean {
  return asked.has(argument) || (mode === 'create' && !harmless.has(argument))
}

const declared: Readonly<Record<string, string>> = {
  'x-max-length': 'maxMessages',
  'x-max-length-bytes': 'maxBytes',
  'x-single-active-consumer': 'order',
  'x-dead-letter-routing-key': 'deadLetterQueue',
}

/** What a declaration calls the argument. */
export function declaredName(argument: string): string {
  return declared[argument] ?? argument
}
