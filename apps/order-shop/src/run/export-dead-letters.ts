import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Transport } from '@posthorn/transport'

/** One dead letter, as it is written to `dead-letters.jsonl`. */
export interface ExportedDeadLetter {
  readonly source: string
  readonly reason: string
  readonly error: string | undefined
  readonly attempts: number
  readonly handler: string | undefined
  /** The message's body, as text. */
  readonly body: string
}

/** Writes the dead letters of all sources into a file, one on each line. */
export async function exportDeadLetters(
  transport: Transport,
  sources: readonly string[],
  folder: string,
): Promise<void> {
  const lines: string[] = []
  for (const source of sources) {
    const letters = transport.deadLetters(source)
    let cursor: string | undefined
    do {
      const page = await letters.page({ limit: 100, ...(cursor === undefined ? {} : { cursor }) })
      for (const { reason, error, attempts, handler, body } of page.entries) {
        const letter: ExportedDeadLetter = {
          source,
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
