import { kindsOf, type FaultKind, type PlannedFault } from './fault-plan.ts'
import { runSchedule, type Schedule } from './run-schedule.ts'

export type Program = Omit<Schedule, 'faults'>

/** A run that did not keep its promises; its faults repeat it. */
export interface Failure {
  readonly faults: readonly PlannedFault[]
  /** In words. */
  readonly story: readonly string[]
  readonly violations: readonly string[]
}

export interface Exploration {
  readonly schedules: number
  /** How often the rarest kind of fault was really applied. */
  readonly leastApplied: number
  readonly failures: readonly Failure[]
}

/** Every fault at every step of the program, alone. */
export async function singles(program: Program): Promise<PlannedFault[][]> {
  const { steps } = await runSchedule({ ...program, faults: [] })
  return steps.flatMap(({ area }, step) => kindsOf[area].map((_, kind) => [{ step, kind }]))
}

/** So many schedules of two faults; the second is up to `reach` steps later than the first. */
export async function pairs(
  program: Program,
  count: number,
  random: () => number,
): Promise<PlannedFault[][]> {
  const { steps } = await runSchedule({ ...program, faults: [] })
  const below = (bound: number): number => Math.floor(random() * bound)
  return Array.from({ length: count }, () => {
    const step = below(steps.length)
    return [
      { step, kind: below(manyKinds) },
      { step: step + 1 + below(reach), kind: below(manyKinds) },
    ]
  })
}

/** The same in another order, so that what is wrong somewhere is found soon. */
export function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  return items
    .map((item) => ({ item, rank: random() }))
    .toSorted((one, other) => one.rank - other.rank)
    .map(({ item }) => item)
}

const kinds = [...new Set(Object.values(kindsOf).flat())]
const reach = 40
/** Kinds wrap around, so that each is about as likely as the others. */
const manyKinds = 3 * 8 * 9 * 11

/** Runs them one after the other; with `until` only to the first violation of that kind. */
export async function explore(
  program: Program,
  schedules: readonly (readonly PlannedFault[])[],
  { until }: { readonly until?: RegExp } = {},
): Promise<Exploration> {
  const applied: Partial<Record<FaultKind, number>> = {}
  const failures: Failure[] = []
  let count = 0
  for (const faults of [[], ...schedules]) {
    const outcome = await runSchedule({ ...program, faults })
    count += 1
    for (const { kind } of outcome.applied) applied[kind] = (applied[kind] ?? 0) + 1
    if (outcome.violations.length === 0) continue
    const story = outcome.applied.map(({ kind, process, name, at }) => `${at}: ${kind}, ${process}, ${name}`)
    failures.push({ faults, story, violations: outcome.violations })
    if (until !== undefined && outcome.violations.some((violation) => until.test(violation))) break
  }
  const leastApplied = Math.min(...kinds.map((kind) => applied[kind] ?? 0))
  return { schedules: count, leastApplied, failures }
}
