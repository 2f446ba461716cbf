import { findBroken } from './broken.ts'
import { writeReport } from './report.ts'
import { runSoak, type SoakOptions, type SoakProgress } from './run-soak.ts'
import { readArguments, usage } from './soak-arguments.ts'

const showEveryMs = 5_000

function readOptions(): SoakOptions {
  try {
    return readArguments(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}`)
    process.exit(2)
  }
}

const options = readOptions()
const startedAt = performance.now()
let shownAt = 0
const onProgress = ({ confirmed, handled, faults }: SoakProgress): void => {
  const now = performance.now()
  if (now - shownAt < showEveryMs) return
  shownAt = now
  const seconds = String(Math.round((now - startedAt) / 1_000)).padStart(5)
  process.stderr.write(`${seconds} s  ${confirmed} confirmed  ${handled} handled  ${faults} faults\n`)
}
const result = await runSoak({ ...options, onProgress })
// A plain client that the figures were asked of may have left timers behind.
process.stdout.write(`\n${writeReport(result, options)}`, () => {
  process.exit(findBroken(result).length === 0 ? 0 : 1)
})
