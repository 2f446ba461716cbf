import type { TransportEvents } from '../contract/events.ts'
import type { Checkpoints } from './checkpoints.ts'
import type { ConsumeSettings } from './consume-settings.ts'
import type { Intake } from './intake.ts'
import { LoneRun, type LoneRunOwner } from './lone-run.ts'
import { Outcomes, type OutcomesOwner } from './outcomes.ts'
import { Parking } from './parking.ts'
import { Pausing, type PausingOwner } from './pausing.ts'
import type { Run } from './run.ts'
import { typeOf, type RunnerHost } from './runner-host.ts'
import type { Slots } from './slots.ts'
import { isSuspect } from './suspicion.ts'
import type { Turns } from './turns.ts'

export interface CustodyParts {
  readonly host: RunnerHost
  readonly settings: ConsumeSettings
  readonly intake: Intake
  readonly turns: Turns
  readonly slots: Slots
  readonly checkpoints: Checkpoints
  /** Starts what may start. */
  readonly pump: () => void
}

/** What is held and not begun: what may wait here, for how long, and when it goes back. */
export class Custody implements OutcomesOwner, LoneRunOwner, PausingOwner {
  readonly source: string
  readonly outcomes: Outcomes
  readonly lone: LoneRun
  readonly pausing: Pausing
  readonly pump: () => void
  /** When deliveries could last begin to arrive; epoch milliseconds. */
  openedAt: number
  private readonly host: RunnerHost
  private readonly settings: ConsumeSettings
  private readonly intake: Intake
  private readonly turns: Turns
  private readonly slots: Slots
  private readonly parking = new Parking()

  constructor(parts: CustodyParts) {
    const { host, settings, intake, turns, slots, checkpoints, pump } = parts
    this.host = host
    this.settings = settings
    this.intake = intake
    this.turns = turns
    this.slots = slots
    this.pump = pump
    this.source = host.source
    this.openedAt = host.clock.now()
    this.outcomes = new Outcomes(host, settings, turns, this)
    this.lone = new LoneRun(this, host.gate, intake, slots, checkpoints)
    this.pausing = new Pausing(this)
  }

  /** Lets a delivery wait for its turn, or sends it away. */
  enqueue(run: Run, now: number): void {
    if (this.closed(run) && !this.keeps(run)) return this.outcomes.giveBack(run)
    if (this.intake.probing && !this.isSuspect(run)) this.endProbing()
    if (this.pausing.any && this.pausing.has(typeOf(run))) return this.park(run)
    this.turns.enter(run, now)
    // A suspect that waits for its key or its time harms nobody yet.
    if (this.intake.probing && !run.lined) this.endProbing()
  }

  private endProbing(): void {
    this.intake.probing = false
    this.intake.update()
  }

  /** Whether it must run with nothing else in the process. */
  isSuspect(run: Run): boolean {
    return isSuspect(run.delivery.deliveries, run.wire) && !this.settings.ephemeral
  }

  /**
   * Whether a crash is put down to the message that was alone in its process: where what merely waited beside it counts as
   * handed out, too.
   */
  get recordsTrials(): boolean {
    const { order, ephemeral } = this.settings
    const { holdKey, deliveryCount } = this.host.capabilities().features
    const countsNeighbours = order === 'key' || deliveryCount.level === 'emulated'
    return countsNeighbours && !ephemeral && holdKey.level !== 'unsupported'
  }

  recordTrial(run: Run): void {
    if (this.recordsTrials) this.outcomes.recordTrial(run)
  }

  /** Whether it may not begin, nor be kept for its next attempt, here. */
  closed(run: Run): boolean {
    return !this.intake.open || run.held.closing
  }

  /** Gives back what has not begun, but for one; answers how many. */
  closeIntake(except?: Run): number {
    this.intake.update()
    const released = this.intake.runs().filter((run) => run !== except && this.giveBackUnbegun(run)).length
    this.turns.compact()
    return released
  }

  reopen(): void {
    this.openedAt = this.host.clock.now()
    this.intake.update()
    this.pump()
  }

  giveBackUnbegun(run: Run): boolean {
    if (!isUnbegun(run) || this.keeps(run)) return false
    this.parking.forget(run)
    this.outcomes.giveBack(run)
    this.lone.end(run)
    return true
  }

  giveBackBehind(run: Run): void {
    const { key } = run.wire
    for (const one of this.intake.runs()) if (one.keyed && one.wire.key === key) this.giveBackUnbegun(one)
  }

  /** It has waited for half of its lease. False when it is kept all the same. */
  overdue(run: Run, isRenewed: boolean): boolean {
    if (this.lone.is(run) && isRenewed) return false
    if (!this.giveBackUnbegun(run)) return false
    // Given back one by one, those of its key would overtake each other.
    if (run.keyed) this.giveBackBehind(run)
    // The same messages would come again at once, and wait as long.
    if (!this.slots.free) this.intake.saturated = true
    this.intake.update()
    return true
  }

  /** It is not this consumer's any more. */
  lost(run: Run): void {
    this.parking.forget(run)
    if (!run.active) this.lone.end(run)
  }

  windowsChanged(): void {
    this.intake.update()
  }

  answered(): void {
    if (this.intake.moves) this.intake.update()
    this.pump()
  }

  // Pauses

  emit<Name extends 'paused' | 'resumed'>(name: Name, event: TransportEvents[Name]): void {
    this.host.emit(name, event)
  }

  pausesWhole(): boolean {
    const { order, ephemeral } = this.settings
    const { uncountedPostpone, delayedRetry } = this.host.capabilities().features
    return (
      order === 'key' ||
      ephemeral ||
      uncountedPostpone.level === 'unsupported' ||
      delayedRetry.level === 'unsupported'
    )
  }

  wholePaused(paused: boolean): void {
    this.intake.paused = paused
    if (paused) this.closeIntake()
    else this.reopen()
  }

  typesChanged(): void {
    const { pausing, parking } = this
    const now = this.host.clock.now()
    if (!pausing.any) parking.reset()
    for (const run of this.intake.runs())
      if (run.state === 'waiting' && pausing.has(typeOf(run))) this.park(run)
    for (const run of parking.take((one) => !pausing.has(typeOf(one)))) this.enqueue(run, now)
    this.pump()
  }

  private park(run: Run): void {
    const delayMs = this.parking.park(run)
    if (delayMs !== undefined) this.outcomes.postpone(run, delayMs)
    this.lone.end(run)
  }

  /** What is at most once would be lost by giving it back, so it waits here as long as there is a consumer. */
  private keeps(run: Run): boolean {
    return this.settings.ephemeral && !this.intake.stopping && !run.held.closing
  }
}

/** Held, with no handler at it. */
export function isUnbegun(run: Run): boolean {
  return !run.active && (run.state === 'waiting' || run.state === 'holding' || run.state === 'parked')
}
