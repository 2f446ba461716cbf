// Writes docs/compatibility.md from the results of the conformance runs.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { compatibilityTable, type ConformanceResults } from '../packages/core/conformance/src/table.ts'

const folder = 'docs/compatibility/results'
const page = 'docs/compatibility.md'

const files = (await readdir(folder)).filter((name) => name.endsWith('.json'))
const runs = await Promise.all(
  files.map(async (name) => JSON.parse(await readFile(join(folder, name), 'utf8')) as ConformanceResults),
)
await writeFile(page, compatibilityTable(runs))
console.log(`${page}: ${runs.length} ${runs.length === 1 ? 'run' : 'runs'}`)
