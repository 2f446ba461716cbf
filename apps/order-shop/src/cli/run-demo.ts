import { isPosthornError } from '@posthorn/transport'
import { describeFaults } from './describe-faults.ts'
import { toJson } from './json.ts'
import { prepareOutFolder } from './out-folder.ts'
import { createPaint } from './paint.ts'
import { showProgress, versionNames } from './progress.ts'
import { readOrderLines } from './read-lines.ts'
import { writeReport } from './report.ts'
import { helpText, readArguments, UsageError } from './shop-arguments.ts'
import type { ShopArguments } from './shop-arguments.ts'
import { exitCodeOf, writeStopped } from './stopped.ts'
import { runShop } from '../run/run-shop.ts'
import type { ShopOptions, ShopOutcome } from '../run/run-shop.ts'
import type { MetricsAddress } from '../run/staff.ts'

/** Where the demo speaks. */
export interface Terminal {
  readonly isTTY?: boolean
  write(text: string): unknown
}

export interface DemoOptions extends Pick<ShopOptions, 'signal' | 'beforeJudging'> {
  readonly words: readonly string[]
  readonly stdout: Terminal
  readonly stderr: Terminal
}

/** Slow enough to be watched. */
const watchedSpeed = 2
const quickLines = 130

/** Runs the demo; answers its exit code. */
export async function runDemo(demo: DemoOptions): Promise<number> {
  const { words, stdout, stderr } = demo
  try {
    const given = readArguments(words)
    if (given.help) {
      stdout.write(helpText)
      return 0
    }
    return await run(given, demo)
  } catch (error) {
    if (error instanceof UsageError || (isPosthornError(error) && error.phase === 'options')) {
      stderr.write(`${error.message}\n`)
      return 2
    }
    if (!isPosthornError(error)) throw error
    stderr.write(`${error.code}: ${error.message}\n`)
    return 1
  }
}

async function run(
  given: ShopArguments,
  { stdout, stderr, signal, beforeJudging }: DemoOptions,
): Promise<number> {
  const source = await readOrderLines(given.orders)
  const lines = given.quick ? source.lines.slice(0, quickLines) : source.lines
  const out = prepareOutFolder(given.out)
  const inMemory = given.broker.startsWith('memory:')
  const time = given.realTime || !inMemory ? 'real time' : 'simulated time'
  const paint = createPaint(stdout)
  const say = (...text: readonly string[]): void => {
    if (!given.json) stdout.write(text.map((line) => line + '\n').join(''))
  }

  say(
    paint('bold', `The order shop: ${lines.length} lines of ${source.from}, seed ${given.seed}`),
    `on ${inMemory ? 'the in-memory broker' : schemeOf(given.broker)}, in ${time}`,
    '',
  )
  const outcome = await runShop({
    lines,
    out,
    signal,
    seed: given.seed,
    brokerUrl: given.broker,
    realTime: given.realTime,
    speed: given.quick ? Infinity : watchedSpeed,
    replay: given.replay,
    ...(given.metricsPort === undefined ? {} : { metricsPort: given.metricsPort }),
    onMetrics(addresses) {
      const text = describeMetrics(addresses).map((line) => `${line}\n`)
      ;(given.json ? stderr : stdout).write(text.join(''))
    },
    ...(beforeJudging === undefined ? {} : { beforeJudging }),
    onPlan: (plan) =>
      say('Faults, the same for both versions:', ...describeFaults(plan).map((line) => `  ${line}`), ''),
    watch(version, state) {
      const end = showProgress(given.json ? stderr : stdout, version, lines.length, state, given.json)
      return ({ tookMs }) => {
        end()
        say(
          `${versionNames[version].padEnd(9)} ${signal.aborted ? 'stopped' : 'ended'} after ${(tookMs / 1_000).toFixed(1)} s of ${time}`,
        )
      }
    },
  })
  const exitCode = exitCodeOf(outcome, lines.length)
  if (given.json)
    stdout.write(toJson(outcome, { ...given, out, from: source.from, lines: lines.length, time, exitCode }))
  else say('', ...writeOutcome(outcome, { ...given, out, lines: lines.length, inMemory }, paint))
  return exitCode
}

interface OutcomeFacts extends Pick<ShopArguments, 'deadLetters'> {
  readonly out: string
  readonly lines: number
  readonly inMemory: boolean
}

function writeOutcome(
  outcome: ShopOutcome,
  { out, lines, inMemory, deadLetters }: OutcomeFacts,
  paint: ReturnType<typeof createPaint>,
): string[] {
  const stopped = outcome.naive === undefined ? [...writeStopped(outcome, lines, inMemory), ''] : []
  if (outcome.posthorn.report.left !== undefined) return [...stopped, `All that was done   ${out}`]
  return [...stopped, ...writeReport(outcome, { out, deadLetters }, paint)]
}

function describeMetrics(addresses: readonly MetricsAddress[]): string[] {
  if (addresses.length === 0) return []
  const each = addresses.map(({ process, url }) =>
    process === undefined ? `  ${url}` : `  ${process.padEnd(10)} ${url}`,
  )
  return ['Metrics of Posthorn, while it runs:', ...each, '']
}

/** Without what follows: it may hold a password. */
function schemeOf(url: string): string {
  return `the broker at ${/^[a-z0-9+.-]+:/i.exec(url)?.[0] ?? 'this URL'}`
}
