import { PosthornError } from '@posthorn/transport'
import { optionRules } from '@posthorn/transport/options'
import type { ExecuteCall, ExecuteOptions } from './breaker.ts'
import { Call, type CallsHost } from './calls.ts'
import { refusalOf } from './refusal-of.ts'

const rules = {
  signal: optionRules.custom('an AbortSignal', (value) => value instanceof AbortSignal),
} satisfies Record<keyof ExecuteOptions, optionRules.Rule>

/** One call of any function, through the breaker. */
export async function execute<Result>(
  host: CallsHost,
  run: (attempt: ExecuteCall) => Result | PromiseLike<Result>,
  options: ExecuteOptions = {},
): Promise<Result> {
  const { name, timeoutMs } = host.settings
  optionRules.checkOptions(`execute() of breaker ${JSON.stringify(name)}`, options, rules)
  const { signal } = options
  if (signal?.aborted === true) {
    throw new PosthornError('POSTHORN_ABORTED', `A call through "${name}" was aborted before it began.`, {
      cause: signal.reason,
    })
  }
  const own = timeoutMs === Infinity ? undefined : new AbortController()
  let timedOut: (error: PosthornError) => void = () => {}
  const call = Call.begin(host, () => {
    const error = new PosthornError(
      'POSTHORN_TIMEOUT',
      `A call through the circuit breaker "${name}" took longer than ${timeoutMs} ms.`,
      { phase: 'handle', retryable: true },
    )
    timedOut(error)
    own?.abort(error)
  })
  if (call === undefined) throw refusalOf(host.state, host.settings, 'handle')
  const running = finish(call, signal, async () => run({ signal: signalOf(own, signal) }))
  if (own === undefined) return running
  const timeout = new Promise<never>((_, reject) => {
    timedOut = reject
  })
  // Whichever comes second has nobody waiting for it.
  timeout.catch(() => {})
  running.catch(() => {})
  return Promise.race([running, timeout])
}

async function finish<Result>(
  call: Call,
  signal: AbortSignal | undefined,
  run: () => Promise<Result>,
): Promise<Result> {
  try {
    const result = await run()
    call.succeeded()
    return result
  } catch (error) {
    // What the caller broke off is no failure of the dependency.
    if (signal?.aborted === true) call.ignore()
    else call.failedWith(error, 'elsewhere')
    throw error
  }
}

function signalOf(own: AbortController | undefined, given: AbortSignal | undefined): AbortSignal {
  if (own === undefined) return given ?? new AbortController().signal
  return given === undefined ? own.signal : AbortSignal.any([own.signal, given])
}
