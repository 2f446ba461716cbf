/** What a message goes through: nothing, one policy, or all four. */
export const policyNames = ['none', 'metrics', 'retry', 'breaker', 'idempotency', 'chain'] as const
export type PolicyName = (typeof policyNames)[number]
