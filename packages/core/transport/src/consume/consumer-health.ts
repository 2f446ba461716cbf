import type { ConsumerHealth } from '../contract/health.ts'
import type { Batcher } from './batcher.ts'
import { isUnbegun } from './custody.ts'
import type { Intake } from './intake.ts'
import type { Slots } from './slots.ts'

/** How a consumer is, as far as its runner knows. */
export function consumerHealth(
  source: string,
  intake: Intake,
  slots: Slots,
  batcher: Batcher | undefined,
): ConsumerHealth {
  const abandoned = slots.abandoned.size
  const isHung = hangs(slots, batcher)
  return {
    source,
    state: isHung ? 'down' : intake.stopping ? 'stopped' : intake.paused ? 'paused' : 'up',
    reason: isHung
      ? `all slots are taken: ${abandoned} handlers ran out of their time and have not ended`
      : undefined,
    running: slots.running,
    abandoned,
    waiting: intake.runs().filter(isUnbegun).length,
  }
}

/** Whether nothing can begin, and what runs may never end. */
function hangs({ abandoned, size, running }: Slots, batcher: Batcher | undefined): boolean {
  if (abandoned.size === 0) return false
  // A batch may be smaller than its slots.
  return abandoned.size >= size || (batcher?.full === true && abandoned.size === running - batcher.waiting)
}
