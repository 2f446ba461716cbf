import type { Checkpoints } from './checkpoints.ts'
import type { Intake } from './intake.ts'
import type { LoneGate, Yielding } from './lone-gate.ts'
import type { Run } from './run.ts'
import type { Slots } from './slots.ts'

/** What a consumer does for messages that must run alone in their process: its own, and its neighbours'. */
export interface LoneRunOwner {
  /** Takes nothing more, and gives back what has not begun, but for one. */
  closeIntake(except?: Run): void
  giveBackUnbegun(run: Run): boolean
  /** Records that it begins, where the broker can; it is `recording` until that is answered. */
  recordTrial(run: Run): void
  /** Takes up again what can be. */
  reopen(): void
  pump(): void
}

/**
 * Gives a suspect the process for itself. It keeps the delivery while it waits for the others' handlers to end; abandoned
 * handlers do not count, since they may never end and their outcome is decided.
 */
export class LoneRun implements Yielding {
  private readonly owner: LoneRunOwner
  private readonly gate: LoneGate
  private readonly intake: Intake
  private readonly slots: Slots
  private readonly checkpoints: Checkpoints
  private run: Run | undefined = undefined
  private admitted = false
  /** That it begins has been recorded, or is being. */
  private noted = false
  private cancelIdle: (() => void) | undefined = undefined

  constructor(owner: LoneRunOwner, gate: LoneGate, intake: Intake, slots: Slots, checkpoints: Checkpoints) {
    this.owner = owner
    this.gate = gate
    this.intake = intake
    this.slots = slots
    this.checkpoints = checkpoints
  }

  is(run: Run): boolean {
    return this.run === run
  }

  begin(run: Run): void {
    this.run = run
    this.admitted = false
    this.noted = false
    this.intake.lone = true
    this.owner.closeIntake(run)
    const asked = this.gate.ask(this, () => {
      this.admitted = true
      this.owner.pump()
    })
    if (!asked) this.owner.giveBackUnbegun(run)
  }

  /** The suspect, once it can start. */
  ready(): Run | undefined {
    const { run, slots } = this
    if (run === undefined || !this.admitted || run.state !== 'waiting' || !slots.idle || !slots.free)
      return undefined
    if (!this.noted) {
      this.noted = true
      this.owner.recordTrial(run)
    }
    return run.recording ? undefined : run
  }

  /** Gives it back if it has not begun: nothing may start for now, and the others need not wait for that. */
  withdraw(): void {
    if (this.run !== undefined) this.owner.giveBackUnbegun(this.run)
  }

  /** It is done with, given back or lost: the others go on, at first with one delivery at a time here. */
  end(run: Run): void {
    if (this.run !== run) return
    this.run = undefined
    this.intake.lone = false
    this.intake.probing = true
    this.intake.update()
    this.gate.leave(this)
  }

  makeWay(idle: () => void): void {
    this.intake.madeWay = true
    this.owner.closeIntake()
    this.cancelIdle?.()
    this.cancelIdle = this.checkpoints.when(() => this.slots.idle, idle)
  }

  goOn(): void {
    this.cancelIdle?.()
    this.intake.madeWay = false
    this.owner.reopen()
  }

  /** The consumer has stopped, whatever its handlers do. */
  part(): void {
    this.cancelIdle?.()
    this.gate.part(this)
  }
}
