import { createReadStream } from 'node:fs'
import type { LedgerEntry } from './open-ledger.ts'

/**
 * The entries of a ledger, in their order; also while it is being written. A last one without its line end was never
 * reported as recorded, and is left out.
 */
export async function* readLedger(path: string): AsyncGenerator<LedgerEntry, void, undefined> {
  let rest = ''
  let line = 0
  for await (const chunk of createReadStream(path, { encoding: 'utf8' })) {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const text of lines) {
      line++
      yield parse(text, `${path}:${line}`)
    }
  }
}

function parse(text: string, where: string): LedgerEntry {
  try {
    return JSON.parse(text) as LedgerEntry
  } catch (error) {
    throw new Error(`${where} is no entry of a ledger: ${text.slice(0, 80)}`, { cause: error })
  }
}
