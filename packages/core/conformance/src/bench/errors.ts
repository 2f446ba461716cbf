import assert from 'node:assert/strict'
import { isPosthornError, type ErrorCode, type FailedOutcome, type PosthornError } from '@posthorn/transport'

/** What an error has to say. */
export interface ExpectedError {
  readonly code: ErrorCode | readonly ErrorCode[]
  readonly outcome?: FailedOutcome
  readonly retryable?: boolean
  /** Words that its message has to hold. */
  readonly mentions?: readonly string[]
}

/** The `PosthornError` that the work rejects with, checked; fails when it resolves. */
export async function rejection(
  what: string,
  work: Promise<unknown>,
  expected: ExpectedError,
): Promise<PosthornError> {
  let error: unknown
  try {
    await work
  } catch (thrown) {
    error = thrown
    return checkError(what, error, expected)
  }
  return assert.fail(`${what}: it resolved, and should have rejected with ${String(expected.code)}.`)
}

export function checkError(what: string, error: unknown, expected: ExpectedError): PosthornError {
  if (!isPosthornError(error)) assert.fail(`${what}: not a PosthornError: ${String(error)}`)
  const codes = [expected.code].flat()
  assert.ok(
    codes.includes(error.code),
    `${what}: the code is ${error.code} (${error.message}), not ${codes.join(' or ')}`,
  )
  if (expected.outcome !== undefined)
    assert.equal(error.outcome, expected.outcome, `${what}: outcome of ${error.code}`)
  if (expected.retryable !== undefined) {
    assert.equal(error.retryable, expected.retryable, `${what}: retryable of ${error.code}`)
  }
  for (const word of expected.mentions ?? []) {
    assert.ok(error.message.includes(word), `${what}: the message does not name "${word}": ${error.message}`)
  }
  return error
}
