import type { StopReport } from '../contract/consumer.ts'
import { PosthornError } from '../errors.ts'
import type { Checkpoints } from './checkpoints.ts'
import type { Intake } from './intake.ts'
import type { Outcomes } from './outcomes.ts'
import type { Run } from './run.ts'
import { typeOf } from './runner-host.ts'
import type { Slots } from './slots.ts'

/** How long handlers may take to notice that a shutdown's deadline has passed. Milliseconds. */
const abortGraceMs = 1_000
/** How long the last settlements of a shutdown may take. Milliseconds. */
const settleGraceMs = 5_000

/** What a runner lets its end do. */
export interface Draining {
  readonly source: string
  readonly intake: Intake
  readonly outcomes: Outcomes
  readonly slots: Slots
  readonly checkpoints: Checkpoints
  closeIntake(): number
  /** Begins, or sends away, what waits for others within the handler's stage. */
  hurry(): void
  /** Its outcome is decided, whatever its handler still does. */
  abandon(run: Run, error: PosthornError): void
}

/**
 * Takes no more, gives back what has not begun, lets handlers end until the deadline, then aborts them and gives their
 * messages back. Resolves when all is settled, as far as that can be in time.
 */
export async function drain(runner: Draining, deadlineMs: number): Promise<StopReport> {
  const { source, intake, outcomes, slots, checkpoints } = runner
  intake.stopping = true
  const released = runner.closeIntake()
  runner.hurry()
  await checkpoints.until(() => slots.running === 0, deadlineMs)
  const unfinished = slots.running === 0 ? [] : await abortLate(runner)
  await checkpoints.until(() => intake.unsettled === 0, settleGraceMs)
  outcomes.stop()
  return { source, released, unfinished }
}

/** Tells handlers that are late to end, and gives the messages of those that do not back. Answers which were late. */
async function abortLate(runner: Draining): Promise<StopReport['unfinished']> {
  const { source, intake, outcomes, slots, checkpoints } = runner
  const text = `"${source}" is closing and its deadline has passed.`
  const error = new PosthornError('POSTHORN_CLOSED', text, { phase: 'handle' })
  const abandoned = [...slots.abandoned]
  const late = intake
    .everything()
    .flatMap((scope) => scope.runs().filter((run) => run.active && !run.timedOut))
  for (const run of late) {
    run.shutDown = true
    run.abort(error)
  }
  runner.hurry()
  await checkpoints.until(() => slots.idle, abortGraceMs)
  for (const run of late) {
    if (!run.active || run.timedOut) continue
    runner.abandon(run, error)
    outcomes.giveBack(run)
  }
  // Their attempts are spent, and nothing here will make the next ones.
  for (const run of abandoned) if (run.active && run.state === 'holding') outcomes.giveBack(run)
  return [...late, ...abandoned].map((run) => ({ id: run.wire.id, type: typeOf(run) }))
}
