import { expect, test } from 'vitest'
import { describeCapabilities } from './capabilities.ts'
import { isAtLeast } from './server-version.ts'

const settings = { maxHoldMs: 60_000, maxBodyBytes: 1_000, queueType: 'quorum' } as const
const frameMax = 131_072

test.each([
  ['3.10.8', 'unsupported', 'unsupported', undefined],
  ['4.0.5', 'unsupported', 'unsupported', 2],
  ['4.2.9', 'unsupported', 'unsupported', 2],
  ['4.3.6', 'native', 'emulated', 10],
  [undefined, 'unsupported', 'unsupported', undefined],
])('server %s: release %s, close %s, levels of priority %s', (version, release, close, levels) => {
  const { uncountedRelease, uncountedClose, priority } = describeCapabilities(
    version,
    settings,
    frameMax,
  ).features
  expect([uncountedRelease.level, uncountedClose.level]).toEqual([release, close])
  expect(priority).toMatchObject(
    levels === undefined ? { level: 'unsupported' } : { level: 'native', limits: { levels } },
  )
})

test('classic queues count no hand-outs and have no priorities, whatever the version', () => {
  const { features } = describeCapabilities('4.3.6', { ...settings, queueType: 'classic' }, frameMax)
  expect([features.deliveryCount.level, features.priority.level, features.uncountedRelease.level]).toEqual([
    'unsupported',
    'unsupported',
    'unsupported',
  ])
})

test('what is unsupported names what to do instead, and the options are the limits', () => {
  for (const version of ['3.10.8', '4.3.6']) {
    const { features, lease, limits } = describeCapabilities(version, settings, frameMax)
    for (const { level, alternative } of Object.values(features)) {
      if (level === 'unsupported') expect(alternative).toMatch(/\w/)
    }
    expect([lease.durationMs, limits.maxBodyBytes, limits.maxHeaderBytes]).toEqual([60_000, 1_000, 32_768])
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
