import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { chooseRuns, compatRuns, describeRun, isComplete } from './compat-runs.ts'
import { root } from './workspace.ts'
import type { BehaviourResult, ConformanceResults } from '../packages/core/conformance/src/table.ts'

describe('the runs', () => {
  test('have names of their own, and files that are there', () => {
    expect(new Set(compatRuns.map((run) => run.name)).size).toBe(compatRuns.length)
    for (const { file } of compatRuns)
      expect({ file, there: existsSync(join(root, file)) }).toMatchObject({ there: true })
  })

  test('are chosen by their names or their brokers, in their order, each once', () => {
    const names = (...words: string[]): string[] => chooseRuns(words).map((run) => run.name)
    expect(names()).toEqual(compatRuns.map((run) => run.name))
    expect(names('rabbitmq-4.0', 'memory')).toEqual(['memory', 'rabbitmq-4.0'])
    expect(names('rabbitmq', 'rabbitmq-4.3')).toEqual(['rabbitmq-3.10', 'rabbitmq-4.0', 'rabbitmq-4.3'])
  })

  test('are not guessed', () => {
    expect(() => chooseRuns(['memory', 'rabbitmq-3.1'])).toThrow(
      'There is no "rabbitmq-3.1". Choose from: memory,',
    )
  })
})

test('a run is told by its counts, with the names of what is missing', () => {
  const behaviours = (['shown', 'shown', 'declared', 'not shown', 'failed', 'failed'] as const).map(
    (result, index): BehaviourResult => ({ id: String(index), sentence: '', result }),
  )
  const results = { behaviours } as unknown as ConformanceResults
  expect(describeRun(results)).toBe('2 shown, 1 declared, 1 not shown (3), 2 failed (4, 5)')
  expect(isComplete(results)).toBe(false)
  expect(isComplete({ ...results, behaviours: behaviours.slice(0, 3) })).toBe(true)
  expect(describeRun(undefined)).toBe('it did not come to its end')
})
