import { expect, test } from 'vitest'
import { describeCapabilities } from './capabilities.ts'
import { isAtLeast } from './server-version.ts'

const settings = { maxHoldMs: 60_000, maxBodyBytes: 1_000, queueType: 'quorum' } as const

test.each([
  ['3.10.8', 'unsupported', 'unsupported', 'unsupported'],
  ['4.0.5', 'unsupported', 'unsupported', 'native'],
  ['4.3.6', 'native', 'emulated', 'native'],
  [undefined, 'unsupported', 'unsupported', 'unsupported'],
])('server %s: release %s, close %s, priority %s', (version, release, close, priority) => {
  const { features } = describeCapabilities(version, settings)
  expect([features.uncountedRelease.level, features.uncountedClose.level, features.priority.level]).toEqual([
    release,
    close,
    priority,
  ])
})

test('classic queues count no hand-outs and have no priorities, whatever the version', () => {
  const { features } = describeCapabilities('4.3.6', { ...settings, queueType: 'classic' })
  expect([features.deliveryCount.level, features.priority.level, features.uncountedRelease.level]).toEqual([
    'unsupported',
    'unsupported',
    'unsupported',
  ])
})

test('what is unsupported names what to do instead, and the options are the limits', () => {
  for (const version of ['3.10.8', '4.3.6']) {
    const { features, lease, limits } = describeCapabilities(version, settings)
    for (const { level, alternative } of Object.values(features)) {
      if (level === 'unsupported') expect(alternative).toMatch(/\w/)
    }
    expect([lease.durationMs, limits.maxBodyBytes]).toEqual([60_000, 1_000])
  }
})

test.each([
  ['3.10.8', 3, 10, true],
  ['3.9.1', 3, 10, false],
  ['4.0.0', 3, 10, true],
  ['4.3.6', 4, 3, true],
  ['10.0', 4, 3, true],
  ['nonsense', 3, 10, false],
  [undefined, 3, 10, false],
])('%s is at least %d.%d: %s', (version, major, minor, expected) => {
  expect(isAtLeast(version, major, minor)).toBe(expected)
})
