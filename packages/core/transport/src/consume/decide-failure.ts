import type { MiddlewareFacts } from '../contract/middleware.ts'
import type { Settlement } from '../contract/settlement.ts'
import { PosthornError } from '../errors.ts'
import { showValue } from '../options/show-value.ts'
import { receivedMessage } from './received-message.ts'
import type { Run } from './run.ts'
import type { RunnerHost } from './runner-host.ts'
import { isSettlement, retryAfter } from './settlement.ts'

/** What the retry policy makes of a failure that did not come through the chain; the default, where it is broken or none. */
export function decideFailure(
  host: RunnerHost,
  decide: MiddlewareFacts['decide'],
  run: Run,
  error: unknown,
): Settlement {
  if (decide === undefined) return retryAfter(undefined, error)
  try {
    const { wire } = run
    const message = receivedMessage(wire, host.codec.decode(wire.body, wire.contentType), host.source)
    const settlement: unknown = decide(error, message, run, host)
    if (isSettlement(settlement)) return settlement
    throw new PosthornError(
      'POSTHORN_INVALID_SETTLEMENT',
      `The retry policy decided ${showValue(settlement)}, which is no settlement. The default is used instead.`,
      { phase: 'handle' },
    )
  } catch (thrown) {
    host.emit('callbackFailed', { where: `retry policy of "${host.source}"`, error: thrown })
    return retryAfter(undefined, error)
  }
}
