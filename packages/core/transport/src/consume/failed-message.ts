import type { WireMessage } from '../contract/wire-message.ts'
import { isPosthornError, toError } from '../errors.ts'

const maxErrorText = 256

/** The message after a failed attempt: the attempt raised, the failure noted. */
export function withFailure(message: WireMessage, error: unknown, now: number, notBefore: number | undefined): WireMessage {
  return {
    ...message,
    notBefore,
    attempt: message.attempt + 1,
    firstFailedAt: message.firstFailedAt ?? now,
    lastFailedAt: now,
    lastError: error === undefined ? message.lastError : describe(error),
  }
}

/** The message after a release: no attempt spent, and noted, so that its hand-out does not look like a crash. */
export function withRelease(message: WireMessage, notBefore: number | undefined): WireMessage {
  return { ...message, notBefore, releases: message.releases + 1 }
}

function describe(value: unknown): string {
  const error = toError(value)
  return `${error.name}: ${error.message}`.slice(0, maxErrorText)
}

/** Name, message and code of anything thrown, cut to a size that fits into a header. Never throws. */
export function describeError(
  value: unknown,
): { readonly name: string; readonly message: string; readonly code: string | undefined } | undefined {
  if (value === undefined) return undefined
  const error = toError(value)
  const code: unknown = isPosthornError(error) ? error.code : (error as { code?: unknown }).code
  return {
    name: String(error.name).slice(0, maxErrorText),
    message: String(error.message).slice(0, maxErrorText * 4),
    code: typeof code === 'string' || typeof code === 'number' ? String(code).slice(0, maxErrorText) : undefined,
  }
}
