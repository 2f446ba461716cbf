import { slotHeader } from './shards.ts'

/** The shortest step. Milliseconds. */
export const firstStepMs = 32
const stepCount = 27

/** How long the queues of the ladder hold what is in them: each twice as long as the one before. Milliseconds. */
export const stepsMs: readonly number[] = Array.from(
  { length: stepCount },
  (_, level) => firstStepMs * 2 ** level,
)

/** The longest delay. Milliseconds: 30 days. */
export const maxDelayMs: number = 30 * 24 * 3_600_000

/** The share of a delay by which the steps may be longer together. */
export const maxExcess = 0.25

/**
 * The steps that a message takes one after the other, the longest first: three at most, together never shorter than the
 * delay, and less than a quarter longer where it is not below the shortest step.
 */
export function stepsFor(delayMs: number): readonly number[] {
  const units = Math.max(1, Math.ceil(Math.min(delayMs, maxDelayMs) / firstStepMs))
  // Three leading bits are kept, rounded up.
  const unit = 2 ** Math.max(0, 29 - Math.clz32(units))
  let rest = Math.ceil(units / unit) * unit * firstStepMs
  const steps: number[] = []
  for (let level = stepCount - 1; level >= 0 && rest > 0; level -= 1) {
    const step = stepsMs[level]!
    if (step > rest) continue
    steps.push(step)
    rest -= step
  }
  return steps
}

/** Where a message is to come back to. */
export type ReturnTo = { readonly queue: string } | { readonly topic: string }

const entryHeader = 'posthorn-delay'
const returnQueueHeader = 'posthorn-return'
const returnTopicHeader = 'posthorn-return-topic'
const done = 'done'

/** Whether a header says where a message belongs. */
export function isDriverHeader(name: string): boolean {
  return name === returnQueueHeader || name === returnTopicHeader || name === slotHeader
}

const afterHeader = (stepMs: number): string => `posthorn-after-${stepMs}`

/** What the exchanges of the ladder route by. The routing key stays the message's own. */
export function ladderHeaders(delayMs: number, to: ReturnTo): Record<string, string> {
  const steps = stepsFor(delayMs)
  const headers = returnHeaders(to)
  for (const [index, step] of steps.entries()) {
    if (index === 0) headers[entryHeader] = String(step)
    headers[afterHeader(step)] = String(steps[index + 1] ?? done)
  }
  return headers
}

/** For what comes back at once. */
export function returnHeaders(to: ReturnTo): Record<string, string> {
  return 'queue' in to ? { [returnQueueHeader]: to.queue } : { [returnTopicHeader]: to.topic }
}

/** The queue or topic that a message belongs to, by its headers. */
export function homeOf(headers: Readonly<Record<string, string>>): string | undefined {
  return headers[returnQueueHeader] ?? headers[returnTopicHeader]
}

const match = (header: string, value: string): Record<string, string> => ({
  'x-match': 'all',
  [header]: value,
})

/** Arguments of the bindings that the ladder consists of. */
export const ladderBindings = {
  entry: (stepMs: number): Record<string, string> => match(entryHeader, String(stepMs)),
  next: (stepMs: number, nextMs: number): Record<string, string> =>
    match(afterHeader(stepMs), String(nextMs)),
  done: (stepMs: number): Record<string, string> => match(afterHeader(stepMs), done),
  returnTo: (to: ReturnTo): Record<string, string> =>
    'queue' in to ? match(returnQueueHeader, to.queue) : match(returnTopicHeader, to.topic),
}

/** The steps that may follow one: those of a delay of three leading bits. */
export function followersOf(stepMs: number): readonly number[] {
  return [stepMs / 2, stepMs / 4].filter((step) => step >= firstStepMs)
}
