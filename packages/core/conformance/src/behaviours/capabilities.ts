import assert from 'node:assert/strict'
import { askFor } from '../features/asking.ts'
import type { Feature } from '@posthorn/transport'
import type { Area } from '../behaviour.ts'

export const capabilities: Area = {
  title: 'Capabilities',
  behaviours: [
    {
      id: '39',
      sentence:
        'Given an undeclared capability is requested, then declaration rejects naming broker, version and alternative',
      async run(bench) {
        const transport = await bench.open()
        const features = Object.entries(bench.capabilities.features) as [
          Feature,
          { readonly level: string; readonly alternative?: string },
        ][]
        for (const [feature, { level, alternative }] of features) {
          if (level !== 'unsupported') continue
          assert.ok(
            alternative !== undefined && alternative !== '',
            `"${feature}" is unsupported, and names no alternative`,
          )
          await askFor(bench, transport, feature)
        }
      },
    },
    {
      id: '79',
      sentence: 'Given the capabilities, then every feature has a level and the limits are numbers that hold',
      async run(bench) {
        const transport = await bench.open()
        const { features, lease, limits } = transport.capabilities
        for (const [feature, capability] of Object.entries(features)) {
          assert.ok(['native', 'emulated', 'unsupported'].includes(capability.level), feature)
          for (const [name, limit] of Object.entries(capability.limits ?? {})) {
            assert.ok(typeof limit === 'number' && limit >= 0, `${feature}.${name}`)
          }
        }
        assert.ok(['delivery', 'session'].includes(lease.scope))
        if (lease.scope === 'delivery')
          assert.ok((lease.durationMs ?? 0) > 0, 'a lease of its own has an end')
        for (const limit of Object.values(limits)) assert.ok(limit > 0)
        const other = await bench.open()
        assert.deepEqual(other.capabilities, transport.capabilities)
        assert.equal(other.broker, transport.broker)
      },
    },
    {
      id: '80',
      sentence:
        'Given messages ready, delayed, in flight and dead-lettered, then `depth` counts them, or says that it cannot',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const delays = bench.has('delayedSend')
        const gate = bench.gate()
        const seen = bench.record()
        const sentAt = bench.now()
        await transport.sendMany(
          queue,
          ['bad', 'held', 'ready', 'ready', 'ready'].map((data) => ({ data, key: 'a' })),
        )
        const longestMs = transport.capabilities.features.delayedSend.limits?.['maxMs'] ?? Infinity
        if (delays) await transport.send(queue, { data: 'later', delayMs: Math.min(3_600_000, longestMs) })
        const consumer = await transport.consume(
          queue,
          seen.handler(({ data, context }) => {
            if (data === 'bad') return context.deadLetter({ reason: 'no' })
            if (data === 'held') return gate.opened
            return 'done'
          }),
          { concurrency: 1 },
        )
        await bench.deadLetters(transport, queue, 1)
        await bench.until('one is held', () => seen.running === 1)
        await bench.advance(2_000)
        const depth = await transport.depth(queue)
        const expected = { ready: 3, inFlight: 1, deadLettered: 1, delayed: delays ? 1 : 0 }
        for (const [name, count] of Object.entries(expected)) {
          const found = depth[name as keyof typeof depth]
          if (found !== undefined) assert.equal(found, count, name)
        }
        if (depth.oldestAgeMs !== undefined) {
          const longest = bench.now() - sentAt + bench.slackMs
          assert.ok(depth.oldestAgeMs >= 2_000 && depth.oldestAgeMs <= longest, `${depth.oldestAgeMs} ms`)
        }
        gate.open()
        await bench.until('the ready ones are handled', () => seen.of('ready').length >= 3)
        await consumer.stop()
        const after = await transport.depth(queue)
        for (const name of ['ready', 'inFlight'] as const)
          if (after[name] !== undefined) assert.equal(after[name], 0, name)
      },
    },
  ],
}
