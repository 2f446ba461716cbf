import type { ErrorCode } from '../error-codes.ts'
import { isPosthornError, PosthornError, toError, type PosthornErrorDetails } from '../errors.ts'

/**
 * What a driver threw, as a `PosthornError`. Clients keep URLs, credentials and whole commands in the errors that they
 * throw, so of one that is not a driver's own only name, code and message are kept, without what looks like a secret.
 */
export function fromDriver(
  thrown: unknown,
  code: ErrorCode,
  details: PosthornErrorDetails = {},
): PosthornError {
  if (isPosthornError(thrown)) return thrown
  const error = toError(thrown)
  const reason = 'code' in error ? error.code : undefined
  const text = withoutSecrets(error.message || (typeof reason === 'string' ? reason : error.name))
  return new PosthornError(code, text, { ...details, cause: copyOf(error, text, reason) })
}

function copyOf(error: Error, text: string, reason: unknown): Error {
  const copy = new Error(text)
  copy.name = error.name
  copy.stack = withoutSecrets(error.stack ?? text)
  return typeof reason === 'string' ? Object.assign(copy, { code: reason }) : copy
}

/** User and password of a URL, and what stands behind a word for a secret. */
export function withoutSecrets(text: string): string {
  return text
    .replaceAll(/:\/\/\S*@/g, '://***@')
    .replaceAll(
      /\b((?:\w*(?:password|passwd|pwd|secret|token)|sharedaccesskey)["']?\s*[=:]\s*["']?)[^\s;,&"']+/gi,
      '$1***',
    )
}
