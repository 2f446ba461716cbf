import type { DeadLetterRecord } from '../contract/dead-letters.ts'
import { describeError } from './failed-message.ts'
import type { Run } from './run.ts'

/** The record that goes with a dead letter: everything that an operator needs to understand it. */
export function deadLetterRecord(
  consumer: {
    readonly source: string
    readonly group: string | undefined
    readonly handler: string
    readonly now: number
  },
  run: Run,
  reason: string,
  error: unknown,
  attempts: number,
): DeadLetterRecord {
  const { wire, delivery } = run
  const failedNow = error !== undefined
  return {
    source: consumer.source,
    group: consumer.group,
    reason,
    error: failedNow ? describeError(error) : recordedError(wire.lastError),
    attempts,
    deliveries: delivery.deliveries,
    firstFailedAt: wire.firstFailedAt ?? (failedNow ? consumer.now : undefined),
    lastFailedAt: failedNow ? consumer.now : wire.lastFailedAt,
    deadLetteredAt: consumer.now,
    handler: consumer.handler === '' ? undefined : consumer.handler,
  }
}

/** The failure noted with the message by an earlier attempt. */
function recordedError(text: string | undefined): DeadLetterRecord['error'] {
  if (text === undefined) return undefined
  const at = text.indexOf(': ')
  return at === -1
    ? { name: 'Error', message: text, code: undefined }
    : { name: text.slice(0, at), message: text.slice(at + 2), code: undefined }
}
