import { describe, expect, test } from 'vitest'
import { describeCapabilities } from './capabilities.ts'
import { memoryDefaults, readMemoryOptions } from './options.ts'
import { createLab } from '../../test/memory-driver.ts'
import type { Feature } from '../contract/capabilities.ts'
import type { MemoryBrokerOptions } from './options.ts'

const refused = (options: object): unknown => {
  try {
    readMemoryOptions(options)
    return undefined
  } catch (error) {
    return error
  }
}

describe('options', () => {
  test('have defaults', () => {
    expect(readMemoryOptions({})).toEqual(memoryDefaults)
    expect(readMemoryOptions({ version: '2', shards: undefined as never })).toEqual({
      ...memoryDefaults,
      version: '2',
    })
  })

  test.each([
    [{ lease: { scope: 'delivery' } }, 'lease.durationMs'],
    [{ lease: { scope: 'delivery', durationMs: 0 } }, 'lease.durationMs'],
    [{ lease: { scope: 'session', maxHoldMs: -1 } }, 'lease.maxHoldMs'],
    [{ lease: { scope: 'message', durationMs: 1 } }, 'lease.scope must be one of "delivery", "session"'],
    [{ lease: 'session' }, 'lease'],
    [{ release: 'maybe' }, 'release'],
    [{ shards: 0 }, 'shards'],
    [{ maxDelayMs: 0 }, 'maxDelayMs'],
    [{ history: true }, 'history'],
    [{ history: { maxMessages: 1 } }, 'history.maxBytes'],
    [{ maxBodyBytes: 1.5 }, 'maxBodyBytes'],
    [{ clock: {} }, 'clock'],
    [{ attemptCount: false, deliveryCount: false }, 'attemptCount'],
  ])('refuse %j, naming it', (options, name) => {
    expect(refused(options)).toMatchObject({
      code: 'POSTHORN_INVALID_OPTION',
      message: expect.stringContaining(name),
    })
  })

  test('suggest the near name for an unknown one', () => {
    expect(refused({ shard: 3 })).toMatchObject({
      code: 'POSTHORN_UNKNOWN_OPTION',
      message: expect.stringContaining('"shards"'),
    })
  })
})

describe('capabilities', () => {
  const featuresBelow = (options: MemoryBrokerOptions): readonly string[] => {
    const { features } = describeCapabilities(readMemoryOptions(options))
    const names = Object.keys(features) as Feature[]
    return names.filter((name) => name !== 'durability' && features[name].level !== 'native').toSorted()
  }

  test('are native without options, but for durability', () => {
    expect(featuresBelow({})).toEqual([])
    expect(describeCapabilities(memoryDefaults).features.durability.level).toBe('unsupported')
  })

  test.each([
    [{ release: 'counted' }, ['uncountedClose', 'uncountedPostpone', 'uncountedRelease']],
    [{ delay: false }, ['delayedRetry', 'delayedSend']],
    [{ priority: false }, ['priority']],
    [{ deduplication: false }, ['deduplication']],
    [{ ephemeral: false }, ['ephemeral', 'inbox']],
    [{ keyOrder: false }, ['holdKey', 'keyBalance', 'keyOrder']],
    [{ holdKey: false }, ['holdKey']],
    [{ patterns: 'client' }, ['patternRouting']],
    [{ deliveryCount: false }, ['deliveryCount']],
    [{ attemptCount: false }, ['attemptCount', 'uncountedClose', 'uncountedPostpone', 'uncountedRelease']],
    [{ history: false }, ['fromEarliest', 'fromTime']],
  ] as const)('show %j', (options, features) => {
    expect(featuresBelow(options)).toEqual(features)
  })

  test('name an alternative to everything that is not supported', () => {
    const { features } = describeCapabilities(
      readMemoryOptions({
        release: 'counted',
        delay: false,
        priority: false,
        deduplication: false,
        ephemeral: false,
        keyOrder: false,
        deliveryCount: false,
        history: false,
      }),
    )
    const silent = Object.entries(features).filter(
      ([, { level, alternative }]) => level === 'unsupported' && alternative === undefined,
    )
    expect(silent).toEqual([])
  })

  test('and the version are those of the connection', async () => {
    const { connection } = await createLab({
      version: '9.1',
      maxBatch: 7,
      maxBatchBytes: 8,
      flow: 'fixed',
    }).connect()
    expect(connection.version).toBe('9.1')
    expect(connection.native.version).toBe('9.1')
    expect(connection.capabilities.limits).toMatchObject({ maxBatch: 7, maxBatchBytes: 8 })
  })
})
