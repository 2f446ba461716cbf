// Runs the conformance suite on every version of every broker that can be had on this machine, keeps the results and
// writes docs/compatibility.md from them: `npm run compat`, or `npm run compat -- memory rabbitmq-4.0` for some of them.
// `npm run compat -- --page` only writes the page.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  ServerUnavailable,
  startKafka,
  startRabbitmq,
  type KafkaVersion,
  type RabbitmqVersion,
  type TestServer,
} from '../packages/tools/test-brokers/src/index.ts'
import { chooseRuns, describeRun, isComplete, type CompatRun } from './compat-runs.ts'
import { run as runCommand } from './with-node.mjs'
import { resultsFolder, writeCompatibilityPage } from './write-compatibility-page.ts'
import type { ConformanceResults } from '../packages/core/conformance/src/table.ts'

const start: Readonly<Record<string, (version: string) => Promise<TestServer>>> = {
  rabbitmq: (version) => startRabbitmq({ version: version as RabbitmqVersion }),
  kafka: (version) => startKafka({ version: version as KafkaVersion }),
}

/** Why the broker cannot be had here; `undefined` when it can. */
async function findObstacle({ broker, version }: CompatRun): Promise<string | undefined> {
  if (version === undefined) return undefined
  try {
    const server = await start[broker]?.(version)
    await server?.stop()
    return undefined
  } catch (error) {
    if (error instanceof ServerUnavailable) return error.message
    throw error
  }
}

/** Runs the suite; answers its results, if it came to its end. */
async function runSuite({
  name,
  broker,
  project,
  file,
  version,
}: CompatRun): Promise<ConformanceResults | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-compat-'))
  try {
    await runCommand(['vitest', 'run', '--project', project, file], {
      ...process.env,
      POSTHORN_CONFORMANCE_RESULTS: folder,
      ...(version === undefined ? {} : { [`POSTHORN_${broker.toUpperCase()}_VERSION`]: version }),
    })
    const written = join(folder, `${name}.json`)
    if (!existsSync(written)) return undefined
    cpSync(written, join(resultsFolder, `${name}.json`))
    return JSON.parse(readFileSync(written, 'utf8')) as ConformanceResults
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Runs what the words name; answers a line for each. */
async function runAll(words: readonly string[]): Promise<readonly string[]> {
  const lines: string[] = []
  for (const run of chooseRuns(words)) {
    const obstacle = await findObstacle(run)
    if (obstacle !== undefined) {
      lines.push(`left out  ${run.name}: ${obstacle}`)
      continue
    }
    const results = await runSuite(run)
    const isProven = results !== undefined && isComplete(results)
    if (!isProven) process.exitCode = 1
    lines.push(`${isProven ? 'ok      ' : 'FAILED  '}  ${run.name}: ${describeRun(results)}`)
  }
  return lines
}

const words = process.argv.slice(2)
try {
  const lines = words.includes('--page') ? [] : await runAll(words)
  const count = writeCompatibilityPage()
  console.log([...lines, `docs/compatibility.md: ${count} ${count === 1 ? 'run' : 'runs'}`].join('\n'))
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
