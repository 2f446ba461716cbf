import type { Clock } from '../contract/clock.ts'

/** What the work answers; `undefined` after `ms` milliseconds without an answer, or when it fails. Never rejects. */
export function inTime<Answer>(clock: Clock, ms: number, work: Promise<Answer>): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const cancel = clock.setTimer(() => resolve(undefined), ms)
    const end = (answer: Answer | undefined): void => {
      cancel()
      resolve(answer)
    }
    work.then(end, () => end(undefined))
  })
}
