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
