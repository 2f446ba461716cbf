import type { WireMessage } from '../contract/wire-message.ts'
import { isPosthornError, toError } from '../errors.ts'
import { cleanText } from '../message/header-names.ts'

const maxMessageText = 1_024

export interface ErrorDescription {
  readonly name: string
  readonly message: string
  readonly code: string | undefined
}

/** The message after a failed attempt: the attempt raised, the failure noted. */
export function withFailure(
  message: WireMessage,
  error: unknown,
  now: number,
  notBefore: number | undefined,
): WireMessage {
  return {
    ...message,
    notBefore,
    attempt: message.attempt + 1,
    trials: 0,
    firstFailedAt: message.firstFailedAt ?? now,
    lastFailedAt: now,
    lastError: error === undefined ? message.lastError : summary(describeError(error)),
  }
}

/** The message after a release: no attempt spent, and noted, so that its hand-out does not look like a crash. */
export function withRelease(message: WireMessage, notBefore: number | undefined): WireMessage {
  return { ...message, notBefore, releases: message.releases + 1, trials: 0 }
}

/** The message before it begins with nothing else in its process. */
export function withTrial(message: WireMessage): WireMessage {
  return { ...message, trials: message.trials + 1 }
}

/** Name, message and code of anything thrown, cut to a size that fits into a header. Never throws. */
export function describeError(value: unknown): ErrorDescription {
  const error = toError(value)
  const code = read(() => (isPosthornError(error) ? error.code : (error as { readonly code?: unknown }).code))
  return {
    name: cleanText(read(() => error.name) ?? 'Error'),
    message: (read(() => error.message) ?? '').slice(0, maxMessageText).replace(/\p{Surrogate}/gu, '\ufffd'),
    code: code === undefined ? undefined : cleanText(code),
  }
}

function summary({ name, message }: ErrorDescription): string {
  return cleanText(`${name}: ${message}`)
}

/** A property as text; nothing where it is none, or throws. */
function read(property: () => unknown): string | undefined {
  try {
    const value = property()
    return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
  } catch {
    return undefined
  }
}
