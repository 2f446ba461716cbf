import { expect, test } from 'vitest'
import { KafkaError, toKafkaError } from './errors.ts'
import { kafkaErrors } from './protocol/error-names.ts'

test.each([
  ['INVALID_REPLICATION_FACTOR', 'fewer replicas'],
  ['INVALID_SESSION_TIMEOUT', 'sessionTimeoutMs'],
  ['TOPIC_AUTHORIZATION_FAILED', 'Give the user the permission'],
] as const)('%s is final, and says what to change', (name, advice) => {
  const error = toKafkaError(new KafkaError(kafkaErrors[name], 'JoinGroup of orders'), 'the queue "orders"')
  expect(error.retryable).toBe(false)
  expect(error.message).toContain(name)
  expect(error.message).toContain(advice)
})
