import { isPosthornError } from '@posthorn/transport'

const longestChain = 5

/** The error and its causes, as far as they can be read. Never throws. */
export function causesOf(error: unknown): readonly unknown[] {
  const causes = [error]
  for (let cause = read(error, 'cause'); cause !== undefined && causes.length < longestChain;) {
    if (causes.includes(cause)) break
    causes.push(cause)
    cause = read(cause, 'cause')
  }
  return causes
}

/** The `code` as text. Never throws. */
export function codeOf(error: unknown): string | undefined {
  const code = read(error, 'code')
  return typeof code === 'string' || typeof code === 'number' ? String(code) : undefined
}

/** What the error asks for, in milliseconds. Never throws. */
export function retryAfterOf(error: unknown): number | undefined {
  for (const one of causesOf(error)) {
    const delayMs = read(one, 'retryAfterMs')
    if (typeof delayMs === 'number' && delayMs >= 0) return delayMs
  }
  return undefined
}

/** Whether the error says of itself that the same would fail again. Of a stop or a closed connection that is not so. */
export function saysNeverAgain(error: unknown): boolean {
  return isPosthornError(error) && !error.retryable && !passing.has(error.code)
}

/** Not retryable by whoever got them, but the next process may do better. */
const passing: ReadonlySet<string> = new Set(['POSTHORN_CLOSED', 'POSTHORN_ABORTED', 'POSTHORN_LEASE_LOST'])

function read(value: unknown, name: string): unknown {
  try {
    return typeof value === 'object' && value !== null
      ? (value as Readonly<Record<string, unknown>>)[name]
      : undefined
  } catch {
    return undefined
  }
}
