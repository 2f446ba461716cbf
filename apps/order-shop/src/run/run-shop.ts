import { join } from 'node:path'
import { runNaiveVersion } from './naive-run.ts'
import type { NaiveReport } from './naive-run.ts'
import { runPosthornVersion } from './posthorn-version.ts'
import type { PosthornReport } from './posthorn-version.ts'
import { prepareRun } from './run-parts.ts'
import type { RunParts } from './run-parts.ts'
import type { MetricsAddress } from './staff.ts'
import { createMemoryShopBroker, createUrlShopBroker, reachOf } from './shop-broker.ts'
import { createRealTime, createSimulatedTime } from './shop-clock.ts'
import type { ShopClock } from './shop-clock.ts'
import { planFaults } from '../faults/fault-plan.ts'
import type { FaultPlan } from '../faults/fault-plan.ts'
import { readExpected } from '../judge/expected.ts'
import type { Expected } from '../judge/expected.ts'
import { judge } from '../judge/judge.ts'
import type { Verdict } from '../judge/judge.ts'
import { readEffects } from '../judge/read-effects.ts'
import type { DeadLetter, Effects } from '../judge/read-effects.ts'
import { drawPictures } from '../outside/image-studio.ts'
import type { Ledger } from '../outside/ledger.ts'
import { createRealWork } from '../outside/real-work.ts'

export type Version = 'posthorn' | 'naive'

export interface ShopOptions {
  readonly lines: readonly string[]
  readonly seed: number
  /** An empty folder. */
  readonly out: string
  readonly brokerUrl: string
  readonly realTime: boolean
  /** Of simulated time; see `createSimulatedTime`. */
  readonly speed: number
  /** Of the metrics; 0 is any free one, `undefined` shows none. */
  readonly metricsPort?: number
  /** Whether what ran out of attempts is replayed in the end, when its cause is repaired. */
  readonly replay?: boolean
  /** Aborts to end early. */
  readonly signal: AbortSignal
  /** Called once, before anything runs. */
  readonly onPlan?: (plan: FaultPlan) => void
  /** Called when the metrics of the Posthorn version can be looked at. */
  readonly onMetrics?: (addresses: readonly MetricsAddress[]) => void
  /** Called when a version begins; `state` is what it has done so far. Answers what to call when it has ended. */
  readonly watch: (version: Version, state: RunState) => (ended: { readonly tookMs: number }) => void
  /** Called between a run and the reading of its effects. For tests. */
  readonly beforeJudging?: (folder: string) => void
}

export interface RunState {
  /** Lines handed over. */
  readonly published: number
  readonly ledger: Pick<Ledger, 'count'>
}

/** One version's run. `tookMs` is by its clock. */
export interface Column<Report> {
  readonly report: Report
  readonly verdict: Verdict
  readonly deadLetters: readonly DeadLetter[]
  /** How often each effect was done. */
  readonly done: Readonly<
    Record<'charges' | 'reservations' | 'sales' | 'emails' | 'images' | 'reports', number>
  >
  readonly tookMs: number
}

export interface ShopOutcome {
  readonly plan: FaultPlan
  readonly expected: Expected
  readonly posthorn: Column<PosthornReport>
  /** `undefined` where the run was ended early. */
  readonly naive: Column<NaiveReport> | undefined
}

/** A line each so many milliseconds. */
const paceMs = 5

/** Runs both versions over the same lines with the same faults, one after the other. */
export async function runShop(options: ShopOptions): Promise<ShopOutcome> {
  const { lines, seed, out, brokerUrl, signal } = options
  const expected = readExpected(lines)
  const inMemory = brokerUrl.startsWith('memory:')
  const plan = planFaults({ seed, orders: expected.orders, reach: reachOf(brokerUrl) })
  options.onPlan?.(plan)
  const idleMs = inMemory ? 150 : 2_000
  const pictures = join(out, 'pictures')
  await drawPictures(pictures)

  const newClock = (): ShopClock =>
    options.realTime || !inMemory ? createRealTime() : createSimulatedTime(seed, options.speed)

  async function run<Report>(
    version: Version,
    time: ShopClock,
    striker: Parameters<typeof prepareRun>[0]['striker'],
    work: (parts: RunParts, folder: string) => Promise<Report>,
  ): Promise<Column<Report>> {
    const { clock } = time
    const folder = join(out, version)
    const realWork = createRealWork()
    const state = { published: 0 }
    const onLine = (count: number): void => {
      state.published = count
    }
    const parts = await prepareRun({
      lines,
      clock,
      paceMs,
      idleMs,
      signal,
      onLine,
      folder,
      pictures,
      plan,
      striker,
      realWork,
      metricsPort: options.metricsPort,
      onMetrics: options.onMetrics ?? (() => undefined),
      replay: options.replay === true,
    })
    const ended = options.watch(version, Object.assign(state, { ledger: parts.ledger }))
    const startedAt = clock.now()
    const report = await time.run(work(parts, folder), realWork)
    const tookMs = clock.now() - startedAt
    ended({ tookMs })
    parts.close()
    options.beforeJudging?.(folder)
    const effects = readEffects(folder)
    return {
      report,
      tookMs,
      verdict: judge(expected, effects),
      deadLetters: effects.deadLetters,
      done: countDone(effects),
    }
  }

  const time = newClock()
  const memoryBroker = createMemoryShopBroker(time.clock, plan)
  const broker = inMemory ? memoryBroker : createUrlShopBroker(brokerUrl, plan, pictures)
  const posthorn = await run('posthorn', time, memoryBroker.striker, (parts, folder) =>
    runPosthornVersion(broker, parts, folder),
  )
  if (signal.aborted) return { plan, expected, posthorn, naive: undefined }

  // It knows one driver only, so it runs in memory whatever the broker is.
  const naiveTime = newClock()
  const naiveBroker = createMemoryShopBroker(naiveTime.clock, plan)
  const naive = await run('naive', naiveTime, naiveBroker.striker, (parts, folder) =>
    runNaiveVersion(naiveBroker, parts, folder),
  )
  return { plan, expected, posthorn, naive: signal.aborted ? undefined : naive }
}

function countDone({
  charges,
  reservations,
  sales,
  emails,
  images,
  reports,
}: Effects): Column<unknown>['done'] {
  return {
    charges: charges.length,
    reservations: reservations.length,
    sales: sales.length,
    emails: emails.length,
    images: images.size,
    reports: reports.size,
  }
}
