import { ServerUnavailable } from '@posthorn/test-brokers'
import { expect, test } from 'vitest'
import { findBroken } from '../src/broken.ts'
import { runSoak } from '../src/run-soak.ts'

test.for([
  { broker: 'rabbitmq', messages: 20_000, restarts: 3, seed: 1, ordered: false, quick: true },
  { broker: 'rabbitmq', messages: 10_000, restarts: 2, seed: 2, ordered: true, quick: true },
  { broker: 'kafka', messages: 20_000, restarts: 3, seed: 1, ordered: false, quick: true },
  { broker: 'kafka', messages: 10_000, restarts: 2, seed: 2, ordered: true, quick: true },
])(
  'nothing that was confirmed is lost while server, producers and workers are killed and cut off ($broker, ordered: $ordered)',
  { timeout: 180_000 },
  async (options, context) => {
    const result = await runSoak(options).catch((error: unknown) => {
      if (!(error instanceof ServerUnavailable) || process.env['CI'] === 'true') throw error
      return context.skip(error.message)
    })
    expect(findBroken(result)).toEqual([])
    expect(result.verdict).toMatchObject({ confirmed: options.messages, handled: options.messages })
    expect(result.faults.filter(({ kind }) => kind === 'server killed')).toHaveLength(options.restarts)
    expect(result.faults.length).toBeGreaterThan(options.restarts)
  },
)
