import { isPosthornError } from '@posthorn/transport'
import type { Attributes } from '@opentelemetry/api'

/**
 * Names of OpenTelemetry's conventions for messaging, which are still in development; here once, so that a change is one
 * of this file. Source: semantic conventions 1.45, messaging spans and metrics.
 */
export const attribute = {
  batchSize: 'messaging.batch.message_count',
  deliveries: 'posthorn.message.deliveries',
  destination: 'messaging.destination.name',
  errorType: 'error.type',
  attempt: 'posthorn.message.attempt',
  conversation: 'messaging.message.conversation_id',
  group: 'messaging.consumer.group.name',
  messageId: 'messaging.message.id',
  messageType: 'posthorn.message.type',
  operation: 'messaging.operation.name',
  operationType: 'messaging.operation.type',
  settlement: 'posthorn.settlement',
  system: 'messaging.system',
} as const

export const instrument = {
  sent: 'messaging.client.sent.messages',
  consumed: 'messaging.client.consumed.messages',
  operationDuration: 'messaging.client.operation.duration',
  processDuration: 'messaging.process.duration',
} as const

/** Of a consumer: its queue, or its topic and, if it is durable, its group. */
export function sourceAttributes(system: string, source: string): Attributes {
  // No name of a queue, a topic or a group has a slash, and no group has parentheses.
  const [destination = source, group = ''] = source.split('/')
  const named = { [attribute.system]: system, [attribute.destination]: destination }
  return /^[^(]/.test(group) ? { ...named, [attribute.group]: group } : named
}

/** One of few words: the codes of Posthorn. */
export function errorType(error: unknown): string {
  return isPosthornError(error) ? error.code : '_OTHER'
}
