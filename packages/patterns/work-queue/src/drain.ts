import { isPosthornError, PosthornError, type Clock, type Depth, type Transport } from '@posthorn/transport'
import { optionRules } from '@posthorn/transport/options'
import type { DrainOptions, DrainReport } from './work-queue.ts'

const firstPollMs = 25
const longestPollMs = 1_000

const drainRules = {
  deadlineMs: optionRules.duration(),
  signal: optionRules.custom('an AbortSignal', (value) => value instanceof AbortSignal),
}

/** Asks for the depth until it is zero, first often and then once a second. */
export async function drain(
  transport: Transport,
  queue: string,
  options: DrainOptions = {},
): Promise<DrainReport> {
  optionRules.checkOptions(`drain of "${queue}"`, options, drainRules)
  const { deadlineMs = 30_000, signal } = options
  const { clock } = transport
  const deadline = clock.now() + deadlineMs
  let depth: Depth | undefined
  for (let pollMs = firstPollMs; ; pollMs = Math.min(longestPollMs, pollMs * 2)) {
    const answer = await until(clock, deadline - clock.now(), signal, () => readDepth(transport, queue))
    depth = answer ?? depth
    if (answer !== undefined && isEmpty(transport, queue, answer)) return { empty: true, depth }
    const remainingMs = deadline - clock.now()
    if (remainingMs <= 0) return { empty: false, depth }
    await until(clock, Math.min(pollMs, remainingMs), signal, undefined)
  }
}

/** What passes, such as a lost connection, is no reason to stop asking. */
async function readDepth(transport: Transport, queue: string): Promise<Depth | undefined> {
  try {
    return await transport.depth(queue)
  } catch (error) {
    if (isPosthornError(error) && error.retryable) return undefined
    throw error
  }
}

function isEmpty(transport: Transport, queue: string, { ready, delayed, inFlight, lag }: Depth): boolean {
  if (ready === undefined && lag === undefined) {
    throw new PosthornError(
      'POSTHORN_UNSUPPORTED',
      `${transport.broker} does not say what waits at "${queue}", so drain cannot know when it is empty. Stop its workers instead.`,
    )
  }
  return [ready, delayed, inFlight, lag].every((count) => count === undefined || count === 0)
}

/** The answer of `ask`, or `undefined` after a time; without `ask`, just the wait. */
function until<Answer>(
  clock: Clock,
  waitMs: number,
  signal: AbortSignal | undefined,
  ask: (() => Promise<Answer | undefined>) | undefined,
): Promise<Answer | undefined> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      cancel()
      signal?.removeEventListener('abort', abort)
      settle()
    }
    const abort = (): void => {
      const error = new PosthornError('POSTHORN_ABORTED', 'The given signal was aborted while draining.', {
        cause: signal?.reason,
      })
      end(() => reject(error))
    }
    const cancel = clock.setTimer(() => end(() => resolve(undefined)), Math.max(0, waitMs))
    if (signal?.aborted === true) return abort()
    signal?.addEventListener('abort', abort, { once: true })
    ask?.().then(
      (answer) => end(() => resolve(answer)),
      (error: unknown) => end(() => reject(error as Error)),
    )
  })
}
