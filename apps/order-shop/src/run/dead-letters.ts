import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createDeadLetterTools } from '@posthorn/dlq-retry'
import type { DeadLetterGroup } from '@posthorn/dlq-retry'
import type { DeadLetter, Transport } from '@posthorn/transport'

/** One dead letter, as it is written to `dead-letters.jsonl`. */
export interface ExportedDeadLetter {
  readonly source: string
  readonly id: string
  readonly reason: string
  readonly error: string | undefined
  readonly attempts: number
  readonly handler: string | undefined
  /** The message's body, as text. */
  readonly body: string
}

/** Dead letters of one source that failed in the same way. */
export interface SourceGroup extends Pick<DeadLetterGroup, 'count' | 'reason' | 'handler'> {
  readonly source: string
  readonly errorName: string
  /** Of the newest. */
  readonly error: string
}

/** Writes the dead letters of all sources into a file, one on each line. */
export async function exportDeadLetters(
  transport: Transport,
  sources: readonly string[],
  folder: string,
): Promise<void> {
  const lines: string[] = []
  for (const source of sources) {
    const tools = createDeadLetterTools(transport, source)
    let cursor: string | undefined
    do {
      const page = await tools.list({ limit: 100, ...(cursor === undefined ? {} : { cursor }) })
      for (const { id, reason, error, attempts, handler, body } of page.entries) {
        const letter: ExportedDeadLetter = {
          source,
          id,
          reason,
          error: error === undefined ? undefined : `${error.name}: ${error.message}`,
          attempts,
          handler,
          body: Buffer.from(body).toString(),
        }
        lines.push(JSON.stringify(letter) + '\n')
      }
      cursor = page.cursor
    } while (cursor !== undefined)
  }
  writeFileSync(join(folder, 'dead-letters.jsonl'), lines.join(''))
}

/** How many dead letters of each source failed in which way, the largest groups first. */
export async function groupDeadLetters(
  transport: Transport,
  sources: readonly string[],
): Promise<readonly SourceGroup[]> {
  const found: SourceGroup[] = []
  for (const source of sources) {
    const { groups } = await createDeadLetterTools(transport, source).groups()
    for (const { count, reason, handler, errorName = '', example } of groups)
      found.push({
        source,
        count,
        reason,
        handler,
        errorName,
        error: `${errorName}: ${example.errorMessage}`,
      })
  }
  return found.toSorted((a, b) => b.count - a.count)
}

/**
 * Gives back what ran out of attempts, now that its cause is repaired, answers how many that were, and writes them into a
 * file. Bad orders stay: they would be no better.
 */
export async function replayDeadLetters(
  transport: Transport,
  sources: readonly string[],
  folder: string,
): Promise<number> {
  let replayed = 0
  const onEntry = ({ id, body }: DeadLetter): void => {
    const line = JSON.stringify({ id, body: Buffer.from(body).toString() })
    appendFileSync(join(folder, 'replayed.jsonl'), line + '\n')
  }
  for (const source of sources) {
    const tools = createDeadLetterTools(transport, source)
    const report = await tools.replay({ reasons: 'attempts-exhausted' }, { perSecond: 50, onEntry })
    replayed += report.replayed
  }
  return replayed
}
