import { createMemoryBroker, type MemoryBroker, type MemoryBrokerOptions } from '@posthorn/transport/memory'
import { createVirtualClock, type VirtualClock } from '@posthorn/transport/testing'
import { never, type ChainProcess } from './chain-process.ts'
import { FaultPlan, type Area, type FaultKind, type PlannedFault } from './fault-plan.ts'
import { Journal } from './journal.ts'

/** Longer than a handler's time and a claim's lease. Milliseconds. */
const hangMs = 45_000
/** Longer than the broker's lease, too. */
const frozenMs = 75_000

export const queue = 'tasks'

/** A wait that can fail: what is done there, and what it is like when that is refused. */
export interface Wait<Result> {
  readonly process: ChainProcess
  readonly area: Area
  readonly name: string
  /** Of the task that it is about. */
  readonly id?: string | undefined
  readonly act: () => Promise<Result> | Result
  /** Throws, or answers as a broker does that refuses. */
  readonly refuse: (kind: FaultKind) => Result
}

/** Where one run takes place: its broker, its time, and the faults that are planned for it. */
export class Stage {
  readonly clock: VirtualClock
  readonly broker: MemoryBroker
  readonly plan: FaultPlan
  readonly journal: Journal = new Journal()
  /** Sends a task again, under its id. */
  duplicate: (id: string | undefined) => void = () => undefined
  /** A process was killed. */
  killed: (process: ChainProcess) => void = () => undefined
  private busyUntil = 0

  constructor(faults: readonly PlannedFault[], options: MemoryBrokerOptions) {
    this.clock = createVirtualClock()
    this.broker = createMemoryBroker({ ...options, clock: this.clock })
    this.plan = new FaultPlan(faults)
  }

  /** Nothing hangs or is frozen. */
  get isHealed(): boolean {
    return this.clock.now() >= this.busyUntil
  }

  async wait<Result>(wait: Wait<Result>): Promise<Result> {
    const { process, area, name } = wait
    await process.goesOn()
    const kind = this.plan.arrive({ process: process.name, area, name })
    try {
      return await this.perform(wait, kind)
    } finally {
      await process.goesOn()
    }
  }

  kill(process: ChainProcess): void {
    if (!process.isAlive) return
    process.die()
    this.broker.faults.crash(process.name)
    this.killed(process)
  }

  private async perform<Result>(wait: Wait<Result>, kind: FaultKind | undefined): Promise<Result> {
    const { process, act, refuse } = wait
    switch (kind) {
      case undefined:
        return act()
      case 'throw':
      case 'throw for good':
      case 'refuse':
        return refuse(kind)
      case 'lose the answer':
        await act()
        return refuse(kind)
      case 'hang':
        this.isBusyFor(hangMs)
        await process.sleep(hangMs)
        await process.goesOn()
        return act()
      case 'freeze':
        this.isBusyFor(frozenMs)
        process.freeze(frozenMs)
        await process.goesOn()
        return act()
      case 'cut':
        this.broker.faults.cut(process.name)
        return act()
      case 'kill before':
        this.kill(process)
        return never()
      case 'kill after':
        await act()
        this.kill(process)
        return never()
      case 'drop leases':
        this.broker.faults.dropLeases(queue)
        return act()
      case 'duplicate':
        this.duplicate(wait.id)
        return act()
    }
  }

  private isBusyFor(ms: number): void {
    // What it holds up has some time to end, too.
    this.busyUntil = Math.max(this.busyUntil, this.clock.now() + ms + 5_000)
  }
}
