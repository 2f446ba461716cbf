import type { Delivery, DriverConsumer, Scope } from '../contract/driver.ts'
import type { Run } from './run.ts'

/** What a consumer holds of one scope: a list of its unsettled deliveries, in the order of arrival. */
export class HeldScope {
  readonly scope: Scope
  /** Known once the driver's `consume` has answered. */
  consumer: DriverConsumer | undefined
  /** False once lost or given back: nothing of it may be settled any more. */
  alive = true
  /** Being given back: no intake. */
  closing = false
  unsettled = 0
  window = 0
  first: Run | undefined = undefined
  private last: Run | undefined = undefined

  constructor(scope: Scope, consumer: DriverConsumer | undefined) {
    this.scope = scope
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

  deliveries(runs: readonly Run[]): Delivery[] {
    return runs.map((run) => run.delivery)
  }
}
