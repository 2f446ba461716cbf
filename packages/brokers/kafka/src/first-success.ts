import type { Clock } from '@posthorn/transport/driver'

/**
 * The first of several tries that succeeds. The next one begins when one has failed, and when for `headStartMs` nothing has
 * come of the last. Rejects with an `AggregateError` when all have failed.
 */
export function firstSuccess<Value>(
  tries: readonly (() => Promise<Value>)[],
  headStartMs: number,
  clock: Clock,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const errors: unknown[] = []
    const left = [...tries]
    let cancel = (): void => undefined
    const next = (): void => {
      cancel()
      const act = left.shift()
      if (act === undefined) {
        if (errors.length === tries.length) reject(new AggregateError(errors))
        return
      }
      cancel = clock.setTimer(next, headStartMs)
      act().then(
        (value) => {
          left.length = 0
          cancel()
          resolve(value)
        },
        (error: unknown) => {
          errors.push(error)
          next()
        },
      )
    }
    next()
  })
}
