import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compatibilityTable, type ConformanceResults } from '../packages/core/conformance/src/table.ts'
import { root } from './workspace.ts'

/** Where the runs of the conformance suite leave their results, a file for each broker and version. */
export const resultsFolder: string = join(root, 'docs/compatibility/results')
export const compatibilityPage: string = join(root, 'docs/compatibility.md')

export function readResults(): ConformanceResults[] {
  return readdirSync(resultsFolder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(resultsFolder, name), 'utf8')) as ConformanceResults)
}

/** Writes the page from all results that there are; answers how many. */
export function writeCompatibilityPage(): number {
  const runs = readResults()
  writeFileSync(compatibilityPage, compatibilityTable(runs))
  return runs.length
}
