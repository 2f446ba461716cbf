import { existsSync, mkdirSync, mkdtempSync, readdirSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { UsageError } from './shop-arguments.ts'

/** An empty folder for all effects. Throws a `UsageError` when the one that was named is not. */
export function prepareOutFolder(named: string | undefined): string {
  if (named === undefined) return mkdtempSync(join(tmpdir(), 'order-shop-'))
  const folder = resolve(named)
  if (existsSync(folder)) {
    if (!statSync(folder).isDirectory()) throw new UsageError(`--out: ${named} is not a folder.`)
    // What an earlier run has charged would count as charged.
    if (readdirSync(folder).length > 0)
      throw new UsageError(`--out: ${named} is not empty. Name a new or empty folder.`)
  }
  try {
    mkdirSync(folder, { recursive: true })
  } catch (error) {
    throw new UsageError(`--out: ${named} cannot be made: ${(error as Error).message}`)
  }
  return folder
}
