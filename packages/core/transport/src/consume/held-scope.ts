import type { Delivery, DriverConsumer, Scope } from '../contract/driver.ts'
import type { Run } from './run.ts'
import type { PendingSettlement } from './settler.ts'

/** What a consumer holds of one scope: a list of its unsettled deliveries, in the order of arrival. */
export class HeldScope {
  readonly scope: Scope
  /** Settlements in one call of the driver's `settle`. */
  readonly maxBatch: number
  /** Known once the driver's `consume` has answered. */
  consumer: DriverConsumer | undefined
  /** False once lost or given back: nothing of it may be settled any more. */
  alive = true
  /** Being given back: no intake. */
  closing = false
  unsettled = 0
  /** Of those, how many wait because their type is paused. */
  parked = 0
  /** Deliveries with a key that are going back in place: until they are there, what comes after them must not overtake. */
  returning = 0
  window = 0
  /** Settlements that have not been handed over. */
  pending: PendingSettlement[] = []
  first: Run | undefined = undefined
  private last: Run | undefined = undefined

  constructor(scope: Scope, consumer: DriverConsumer | undefined, maxBatch: number) {
    this.scope = scope
    this.maxBatch = maxBatch
    this.consumer = consumer
  }

  add(run: Run): void {
    run.previous = this.last
    if (this.last === undefined) this.first = run
    else this.last.next = run
    this.last = run
    this.unsettled++
  }

  remove(run: Run): void {
    if (run.previous === undefined) this.first = run.next
    else run.previous.next = run.next
    if (run.next === undefined) this.last = run.previous
    else run.next.previous = run.previous
    run.previous = undefined
    run.next = undefined
    this.unsettled--
  }

  runs(): Run[] {
    const runs: Run[] = []
    for (let run = this.first; run !== undefined; run = run.next) runs.push(run)
    return runs
  }

  /** Deliveries that are held for another reason than a slot. */
  get busy(): number {
    let count = 0
    for (let run = this.first; run !== undefined; run = run.next) {
      if (run.active || run.state === 'holding' || run.state === 'parked') count++
    }
    return count
  }

  deliveries(runs: readonly Run[]): Delivery[] {
    return runs.map((run) => run.delivery)
  }
}
