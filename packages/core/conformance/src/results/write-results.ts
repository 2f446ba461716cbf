import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ConformanceResults } from './conformance-results.ts'

/** Writes a run's results to `<folder>/<name>.json`, making the folder. Answers the path. */
export async function writeResults(folder: string, results: ConformanceResults): Promise<string> {
  await mkdir(folder, { recursive: true })
  const path = join(folder, `${results.name}.json`)
  await writeFile(path, `${JSON.stringify(results, undefined, 2)}\n`)
  return path
}
