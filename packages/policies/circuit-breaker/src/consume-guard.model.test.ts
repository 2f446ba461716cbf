import fc from 'fast-check'
import { fixed } from '@posthorn/transport'
import { createMemoryBroker } from '@posthorn/transport/memory'
import { createVirtualClock } from '@posthorn/transport/testing'
import { expect, test } from 'vitest'
import { createBreaker } from './index.ts'

const outage = fc.record({
  upMs: fc.integer({ min: 100, max: 120_000 }),
  downMs: fc.integer({ min: 100, max: 600_000 }),
  cuts: fc.boolean(),
})

test('whatever fails when, nothing is lost, and only what shows that it is down spends an attempt', async () => {
  let openings = 0
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 1e6 }),
      fc.array(outage, { minLength: 1, maxLength: 3 }),
      fc.record({
        minimumCalls: fc.integer({ min: 1, max: 8 }),
        probes: fc.constant(1),
        resetMs: fc.integer({ min: 1_000, max: 60_000 }),
        maxProbeMs: fc.integer({ min: 1_000, max: 60_000 }),
      }),
      fc.integer({ min: 1, max: 8 }),
      async (seed, outages, options, concurrency) => {
        const clock = createVirtualClock({ seed })
        const broker = createMemoryBroker({ clock })
        let isDown = false
        let failures = 0
        let retried = 0
        let dead = 0
        let failedTrials = 0
        const paid = new Set<number>()
        const mailed = new Set<number>()
        // Two processes, each with a breaker of its own.
        for (const name of ['first', 'second']) {
          const transport = await broker.connect({ name })
          const breaker = createBreaker({ name: 'bank', clock, ...options })
          breaker.onChange(({ from, to, reason }) => {
            if (to === 'open') openings++
            if (from === 'half-open' && reason.includes('failed')) failedTrials++
          })
          transport.on('retried', () => retried++)
          transport.on('deadLettered', () => dead++)
          await transport.consume<number>(
            'orders',
            ({ type, data }) => {
              if (type === 'mail') return void mailed.add(data)
              if (isDown) {
                failures++
                throw new Error('down')
              }
              paid.add(data)
            },
            {
              use: [breaker.consume({ types: ['pay'] })],
              maxAttempts: 1_000,
              retryDelay: fixed(500),
              concurrency,
            },
          )
        }
        const sender = await broker.connect()
        let sent = 0
        const send = async (): Promise<void> => {
          const data = Array.from({ length: 10 }, () => sent++)
          await sender.sendMany(
            'orders',
            data.flatMap((n) => [
              { type: 'pay', data: n },
              { type: 'mail', data: n },
            ]),
          )
        }
        for (const { upMs, downMs, cuts } of outages) {
          await send()
          await clock.advance(upMs)
          isDown = true
          await send()
          if (cuts) broker.faults.cut('first')
          await clock.advance(downMs)
          expect(mailed.size).toBe(sent)
          isDown = false
        }
        await clock.advance(2 * 3_600_000)
        expect([paid.size, mailed.size, dead]).toEqual([sent, sent, 0])
        expect(failures).toBe(retried + failedTrials)
      },
    ),
    { numRuns: 40 },
  )
  expect(openings).toBeGreaterThan(200)
})
