import type { PublishMiddleware } from '@posthorn/transport'
import type { Claims } from './claims.ts'
import type { FaultPlan } from './fault-plan.ts'

/** Has the connection cut while the events of planned orders are on their way, so that nobody knows whether they arrived. */
export function strikeWhilePublishing(
  { lostConfirmations }: FaultPlan,
  claims: Claims,
  cut: () => Promise<void>,
): PublishMiddleware {
  return {
    name: 'strike-while-publishing',
    phase: 'observe',
    wrap: (next) => async (batch) => {
      const isPlanned = batch.messages.some(
        ({ id, type }) =>
          type?.startsWith('order.created.') === true &&
          id !== undefined &&
          lostConfirmations.includes(id) &&
          claims.claim(`cut while publishing ${id}`),
      )
      if (!isPlanned) return next(batch)
      await Promise.all([next(batch), cut()])
    },
  }
}
