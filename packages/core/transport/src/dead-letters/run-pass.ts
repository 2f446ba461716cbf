import type { Clock } from '../contract/clock.ts'
import type { DeadLetter, DeadLetterChoice, PassReport } from '../contract/dead-letter-tools.ts'
import type {
  DeadLetterDecision,
  DeadLetterEntry,
  DeadLetterPass,
  SettleOutcome,
} from '../contract/driver.ts'
import type { WireMessage } from '../contract/wire-message.ts'
import { PosthornError } from '../errors.ts'
import { showValue } from '../options/show-value.ts'
import { shownLetter } from './shown-letter.ts'

export type OpenPass = Pick<DeadLetterPass, 'read' | 'decide' | 'close'>

type Counts = { -readonly [Name in keyof PassReport]: number }

const readAtATime = 100

/**
 * Decides on each entry until `isOver` or the end. What was decided before `decide` threw is carried out all the same;
 * then its error is the pass's.
 */
export async function runPass(
  pass: OpenPass,
  decide: (entry: DeadLetter) => DeadLetterChoice | Promise<DeadLetterChoice>,
  isOver: () => boolean,
  clock: Clock,
): Promise<PassReport> {
  const counts: Counts = { kept: 0, replayed: 0, discarded: 0, failed: 0 }
  let failure: { readonly error: unknown } | undefined
  try {
    while (failure === undefined && !isOver()) {
      const entries = await pass.read(readAtATime)
      if (entries.length === 0) break
      const decisions: DeadLetterDecision[] = []
      try {
        for (const entry of entries) {
          if (isOver()) break
          const choice = await decide(shownLetter(entry))
          checkChoice(choice, entry)
          // It would be removed without being handled: the broker never hands out what has expired.
          if (choice === 'replay' && isExpired(entry.message, clock)) counts.failed++
          else decisions.push(decision(entry, choice))
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

function checkChoice(choice: unknown, { entryId }: DeadLetterEntry): void {
  if (choice === 'keep' || choice === 'replay' || choice === 'discard') return
  throw new PosthornError(
    'POSTHORN_INVALID_OPTION',
    `A pass decides 'keep', 'replay' or 'discard' on each entry, and got ${showValue(choice)}. Nothing was done about ${entryId}.`,
    { phase: 'options' },
  )
}

function isExpired({ expiresAt }: WireMessage, clock: Clock): boolean {
  return expiresAt !== undefined && expiresAt <= clock.now()
}

function decision(entry: DeadLetterEntry, choice: DeadLetterChoice): DeadLetterDecision {
  return {
    entry,
    decision: choice,
    message: choice === 'replay' ? withFreshBudget(entry.message) : entry.message,
  }
}

/** The same message, as new: all its attempts are before it. */
function withFreshBudget(message: WireMessage): WireMessage {
  return {
    ...message,
    notBefore: undefined,
    attempt: 1,
    releases: 0,
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
