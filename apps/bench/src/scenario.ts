import type { Goal } from './goal.ts'

export interface ScenarioOptions {
  /** Fewer rounds and messages: the whole ends within 50 s. */
  readonly quick: boolean
  /** As long as it takes, where a scenario has more to show then. */
  readonly full: boolean
  /** One of the scenario's parts, and nothing else. */
  readonly only: string | undefined
}

export interface ScenarioReport {
  /** One row for each thing measured: what, then figures. */
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
  readonly goals: readonly Goal[]
  /** All figures of all rounds, for the JSON file. */
  readonly data: unknown
}

/** Something that `npm run bench -- <name>` measures. */
export interface Scenario {
  readonly name: string
  readonly description: string
  /** What can be measured by itself. */
  readonly parts?: readonly string[]
  run(options: ScenarioOptions): Promise<ScenarioReport>
}
