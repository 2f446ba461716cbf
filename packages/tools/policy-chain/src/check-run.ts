import type { DeadLetter } from '@posthorn/transport'
import type { Evidence } from './evidence.ts'
import type { Form } from './form.ts'
import { copyOf } from './journal.ts'
import { outcomesOf } from './outcomes-of.ts'
import { maxAttempts, type RunningWorker } from './run-worker.ts'
import { tasks, type Task } from './tasks.ts'

/** What is not as it was promised, a line for each. */
export function checkRun(
  evidence: Evidence,
  form: Form,
  running: readonly RunningWorker[],
): readonly string[] {
  return [
    ...tasks.flatMap((task) => checkFate(task, evidence, form)),
    ...checkAttempts(evidence),
    ...running.flatMap(checkMetrics),
    ...form.check(evidence),
  ]
}

/** Nothing is lost: a task is done, or a dead letter that says why. */
function checkFate({ id, fate }: Task, evidence: Evidence, form: Form): readonly string[] {
  const letters = evidence.deadLetters.filter((letter) => letter.id === id)
  const effects = form.effects(id)
  const wrong: string[] = []
  if (effects === 0 && letters.length === 0) wrong.push(`${id}: lost`)
  if (fate !== 'done' && effects > 0) wrong.push(`${id}: an effect of what always fails`)
  if (letters.length > evidence.journal.sent.of(id))
    wrong.push(`${id}: ${letters.length} dead letters of ${evidence.journal.sent.of(id)} sent`)
  for (const letter of letters)
    if (!isExplained(fate, letter, evidence))
      wrong.push(`${id}: dead-lettered after ${letter.attempts} attempts, ${letter.reason}`)
  return wrong
}

function isExplained(fate: Task['fate'], letter: DeadLetter, evidence: Evidence): boolean {
  const { journal, faults } = evidence
  const { id, reason, attempts } = letter
  if (reason === 'declined')
    return fate === 'declined' || faults.some(({ kind }) => kind === 'throw for good')
  if (reason !== 'attempts-exhausted' || attempts !== maxAttempts) return false
  const failures = journal.thrown.of(copyOf(letter)) + journal.timedOut.of(id)
  return failures >= maxAttempts
}

/** Attempts are 1 + the failures that were recorded, and only a handler's failure is. */
function checkAttempts({ journal, faults }: Evidence): readonly string[] {
  const kills = faults.filter(({ kind }) => kind.startsWith('kill')).length
  const wrong = [...journal.miscounted]
  for (const [copy, spent] of journal.spent) {
    const failures = journal.thrown.of(copy) + journal.timedOut.of(idOf(copy))
    if (spent > failures) wrong.push(`${copy}: ${spent} attempts spent by ${failures} failures`)
  }
  for (const [copy, thrown] of journal.thrown) {
    const most = maxAttempts + journal.forgiven.of(copy) + journal.lost.of(idOf(copy)) + kills
    if (thrown > most) wrong.push(`${copy}: failed ${thrown} times, ${most} at most`)
  }
  return wrong
}

function idOf(copy: string): string {
  return copy.split('#')[0] ?? ''
}

/** Metrics say what the process itself has counted, and nothing is left in flight. */
function checkMetrics({ process, metrics, own, worker }: RunningWorker): readonly string[] {
  const { received, inFlight } = metrics.getStats()
  const says = JSON.stringify({ received, ...outcomesOf(metrics), inFlight })
  const should = JSON.stringify({ received: own.received, ...own.ended, inFlight: 0 })
  const { done } = worker.stats()
  return [
    ...(says === should ? [] : [`${process.name}: metrics say ${says} instead of ${should}`]),
    // What was lost meanwhile is not done, whatever its handler answers.
    ...(done > own.ended.ack ? [`${process.name}: ${done} done of ${own.ended.ack} acks`] : []),
  ]
}
