import { PosthornError, type Clock } from '@posthorn/transport'
import { optionRules } from '@posthorn/transport/options'
import { formatMs } from './format-ms.ts'
import { judge } from './judge.ts'
import type { RetrySettings } from './retry-settings.ts'
import { wait } from './wait.ts'

/** What a function that is tried again gets. */
export interface RunAttempt {
  /** From 1. */
  readonly attempt: number
  /** The one given to `run`; one that never aborts where none was given. */
  readonly signal: AbortSignal
}

export interface RunOptions {
  /** Ends a wait, and is handed on to the function. */
  readonly signal?: AbortSignal
  /** What `types` of rules are matched against. Default: none, so that no such rule fits. */
  readonly type?: string
}

const rules = {
  signal: optionRules.custom('an AbortSignal', (value) => value instanceof AbortSignal),
  type: optionRules.text(),
} satisfies Record<keyof RunOptions, optionRules.Rule>

export async function runRetrying<Result>(
  settings: RetrySettings,
  clock: Clock,
  call: (attempt: RunAttempt) => Result | PromiseLike<Result>,
  options: RunOptions = {},
): Promise<Result> {
  optionRules.checkOptions(`${settings.name}.run()`, options, rules)
  const { type, signal = new AbortController().signal } = options
  if (signal.aborted) throw aborted(settings, signal.reason, 'before its first attempt')
  let firstFailedAt: number | undefined
  for (let attempt = 1; ; attempt++) {
    let error: unknown
    try {
      return await call({ attempt, signal })
    } catch (thrown) {
      error = thrown
    }
    if (signal.aborted) throw error
    const now = clock.now()
    const failure = { error, attempt, firstFailedAt, type, message: undefined }
    const verdict = judge(settings, failure, { now, random: () => clock.random(), report: warn })
    if (!verdict.again) throw error
    firstFailedAt ??= now
    if (!(await wait(clock, verdict.delayMs, signal))) {
      const where = `in the wait of ${formatMs(verdict.delayMs)} after attempt ${attempt}, whose error is the cause`
      throw aborted(settings, error, where)
    }
  }
}

function aborted({ name }: RetrySettings, cause: unknown, where: string): PosthornError {
  return new PosthornError('POSTHORN_ABORTED', `${name}.run() was aborted by its signal ${where}.`, { cause })
}

/** There is nobody else to tell. */
function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error))
}
