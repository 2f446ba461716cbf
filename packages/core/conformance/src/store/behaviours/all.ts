import type { StoreArea, StoreBehaviour } from '../store-behaviour.ts'
import { batches } from './batches.ts'
import { claimLeases } from './claim-leases.ts'
import { claims } from './claims.ts'
import { housekeeping } from './housekeeping.ts'
import { models } from './models.ts'
import { outboxOrder } from './outbox-order.ts'
import { outbox } from './outbox.ts'
import { dueRecords } from './due-records.ts'
import { records } from './records.ts'
import { transactions } from './transactions.ts'

/** Everything that a store has to show. */
export const storeAreas: readonly StoreArea[] = [
  claims,
  claimLeases,
  batches,
  records,
  dueRecords,
  outbox,
  outboxOrder,
  transactions,
  housekeeping,
  models,
]

export const storeBehaviours: readonly StoreBehaviour[] = storeAreas.flatMap((area) => area.behaviours)
