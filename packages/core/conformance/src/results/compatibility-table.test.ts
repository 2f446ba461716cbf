import { expect, test } from 'vitest'
import { compatibilityTable } from './compatibility-table.ts'
import type { ConformanceResults } from './conformance-results.ts'

const run = (name: string, changed: Partial<ConformanceResults> = {}): ConformanceResults => ({
  format: 1,
  name,
  broker: name.split('-')[0] ?? '',
  date: '2026-11-24',
  lease: { scope: 'session' },
  features: {},
  behaviours: [],
  ...changed,
})

test('writes one column for each run, in the order of their names, versions as numbers', () => {
  const runs = ['rabbitmq-4.10', 'memory', 'rabbitmq-4.9'].map((name) => {
    const version = name.split('-')[1]
    return run(name, version === undefined ? {} : { version })
  })
  const page = compatibilityTable(runs)
  expect(page).toContain('| feature | memory | rabbitmq 4.9 | rabbitmq 4.10 |')
  expect(compatibilityTable(runs.toReversed())).toBe(page)
})

test('names a run by itself where its broker tells no version', () => {
  const page = compatibilityTable([run('kafka-4.3', { broker: 'kafka' }), run('kafka-4.3-cluster')])
  expect(page).toContain('| feature | kafka-4.3 | kafka-4.3-cluster |')
})

test('shows the level of a feature, and says when nothing of it has been shown', () => {
  const page = compatibilityTable([
    run('memory', {
      features: {
        priority: { level: 'native', result: 'shown', limits: { levels: 10 } },
        expiry: { level: 'emulated', result: 'not shown' },
        inbox: { level: 'unsupported', result: 'refused', alternative: 'a queue | of its own' },
      },
    }),
  ])
  expect(page).toContain('| `priority` | native |')
  expect(page).toContain('| `expiry` | emulated (not shown) |')
  expect(page).toContain('| `inbox` | – |')
  expect(page).toContain('| `priority` | levels 10. |')
  expect(page).toContain('| `inbox` | Instead: a queue \\| of its own. |')
})

test('numbers the reasons for what is not shown, each once', () => {
  const notShown = (id: string): ConformanceResults['behaviours'][number] => ({
    id,
    sentence: `Given ${id}`,
    result: 'not shown',
    reason: 'the harness offers no fault "kill"',
  })
  const page = compatibilityTable([
    run('memory', {
      behaviours: [notShown('10'), { id: '2', sentence: 'Given two', result: 'shown' }, notShown('1b')],
    }),
  ])
  expect(page).toContain(
    '| 1b | Given 1b | not shown (1) |\n| 2 | Given two | shown |\n| 10 | Given 10 | not shown (1) |',
  )
  expect(page).toContain('\n1. the harness offers no fault "kill"\n')
})

test('says why something is declared, and leaves the reasons of what is refused to the features', () => {
  const reason = 'an ack has no answer'
  const page = compatibilityTable([
    run('memory', {
      behaviours: [
        { id: '1', sentence: 'Given one', result: 'declared', reason },
        { id: '2', sentence: 'Given two', result: 'refused', reason: '"inbox" is unsupported' },
      ],
    }),
  ])
  expect(page).toContain(
    '| 1 | Given one | declared (1) |\n| 2 | Given two | refused |\n\n1. an ack has no answer\n',
  )
})

test('leaves open what a run knows nothing of', () => {
  const page = compatibilityTable([
    run('memory', { behaviours: [{ id: '1', sentence: 'Given one', result: 'shown' }] }),
    run('older'),
  ])
  expect(page).toContain('| 1 | Given one | shown | ? |')
})
