import type { Goal } from './goal.ts'

export interface ScenarioOptions {
  /** Fewer rounds and messages: the whole ends within 50 s. */
  readonly quick: boolean
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
  run(options: ScenarioOptions): Promise<ScenarioReport>
}
