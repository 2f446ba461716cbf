import type { Clock } from '../contract/clock.ts'
import type {
  DeadLetter,
  DeadLetterChoice,
  DeadLetterEdit,
  PassReport,
} from '../contract/dead-letter-tools.ts'
import type {
  DeadLetterDecision,
  DeadLetterEntry,
  DeadLetterPass,
  SettleOutcome,
} from '../contract/driver.ts'
import type { WireMessage } from '../contract/wire-message.ts'
import { PosthornError } from '../errors.ts'
import type { PrepareMessage } from '../message/prepare-message.ts'
import { showValue } from '../options/show-value.ts'
import { editedMessage } from './edited-message.ts'
import { shownLetter } from './shown-letter.ts'

export type OpenPass = Pick<DeadLetterPass, 'read' | 'decide' | 'close'>

type Counts = { -readonly [Name in keyof PassReport]: number }

export interface PassHost {
  readonly clock: Clock
  /** The source, as the destination of what is replayed to it. */
  readonly destination: string
  readonly prepare: PrepareMessage
}

/**
 * Decides on each entry until `isOver` or the end. What was decided before `decide` threw is carried out all the same;
 * then its error is the pass's.
 */
export async function runPass(
  pass: OpenPass,
  decide: (entry: DeadLetter) => DeadLetterChoice | Promise<DeadLetterChoice>,
  isOver: () => boolean,
  atATime: number,
  host: PassHost,
): Promise<PassReport> {
  const counts: Counts = { kept: 0, replayed: 0, discarded: 0, failed: 0 }
  let failure: { readonly error: unknown } | undefined
  try {
    while (failure === undefined && !isOver()) {
      const entries = await pass.read(atATime)
      if (entries.length === 0) break
      const decisions: DeadLetterDecision[] = []
      try {
        for (const entry of entries) {
          if (isOver()) break
          const choice = await decide(shownLetter(entry))
          const decided = decision(entry, choice, host)
          // It would be removed without being handled: the broker never hands out what has expired.
          if (decided.decision === 'replay' && isExpired(decided.message, host.clock)) counts.failed++
          else decisions.push(decided)
        }
      } catch (error) {
        failure = { error }
      }
      if (decisions.length > 0) count(decisions, await pass.decide(decisions), counts)
    }
  } catch (error) {
    // The first error says why; what follows from it does not.
    failure ??= { error }
  }
  // Everything decided has been carried out; a pass that cannot be given back runs out by itself.
  await pass.close().catch(() => {})
  if (failure !== undefined) throw failure.error
  return counts
}

function isExpired({ expiresAt }: WireMessage, clock: Clock): boolean {
  return expiresAt !== undefined && expiresAt <= clock.now()
}

function decision(entry: DeadLetterEntry, choice: DeadLetterChoice, host: PassHost): DeadLetterDecision {
  const { message } = entry
  if (choice === 'keep' || choice === 'discard') return { entry, decision: choice, message }
  if (choice === 'replay') return { entry, decision: 'replay', message: withFreshBudget(message) }
  const edit = (choice as Partial<DeadLetterEdit> | null | undefined)?.edit
  if (edit === undefined) {
    throw new PosthornError(
      'POSTHORN_INVALID_OPTION',
      `A pass decides 'keep', 'replay', 'discard' or { edit } on each entry, and got ${showValue(choice)}. Nothing was done about ${entry.entryId}.`,
      { phase: 'options' },
    )
  }
  const edited = editedMessage(withFreshBudget(message), edit, host.destination, host.prepare)
  return { entry, decision: 'replay', message: edited }
}

/** The same message, as new: all its attempts are before it. */
function withFreshBudget(message: WireMessage): WireMessage {
  return {
    ...message,
    notBefore: undefined,
    attempt: 1,
    releases: 0,
    trials: 0,
    replays: message.replays + 1,
    firstFailedAt: undefined,
    lastFailedAt: undefined,
    lastError: undefined,
  }
}

function count(
  decisions: readonly DeadLetterDecision[],
  outcomes: readonly SettleOutcome[],
  counts: Counts,
): void {
  for (const [index, { decision: choice }] of decisions.entries()) {
    const outcome = outcomes[index]
    if (outcome !== 'confirmed' && outcome !== 'sent') counts.failed++
    else if (choice === 'keep') counts.kept++
    else if (choice === 'replay') counts.replayed++
    else counts.discarded++
  }
}
