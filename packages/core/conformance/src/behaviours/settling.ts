import assert from 'node:assert/strict'
import { fixed } from '@posthorn/transport'
import type { Bench } from '../bench/bench.ts'
import type { Area } from '../behaviour.ts'

interface Releases {
  /** How often the message is released before it is handled. */
  readonly releases: number
  readonly maxDeliveries: number
  readonly delayMs?: number
}

/** What is released more often than it may be handed out is neither suspected nor given up. */
async function releaseOften(bench: Bench, { releases, maxDeliveries, ...options }: Releases): Promise<void> {
  const queue = bench.name('orders')
  const transport = await bench.open()
  const events = bench.events(transport)
  const seen = bench.record()
  await transport.consume(
    queue,
    seen.handler(({ context }) => (seen.calls.length <= releases ? context.release(options) : 'done')),
    { maxDeliveries },
  )
  await transport.send(queue, { data: 'a' })
  await bench.until('it is handled', () => seen.calls.length > releases)
  await bench.quiet()
  assert.equal(seen.calls.length, releases + 1)
  bench.checkUnspent(seen.calls)
  assert.deepEqual(events.of('suspect'), [])
  assert.equal(await transport.deadLetters(queue).count(), 0)
}

export const settling: Area = {
  title: 'Settling',
  behaviours: [
    {
      id: '8',
      sentence: 'Given `ack` resolved, when everything restarts, then no redelivery',
      needs: { features: ['durability'], faults: ['restart'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        await transport.sendMany(
          queue,
          Array.from({ length: 10 }, (_, data) => ({ data })),
        )
        const seen = bench.record()
        const consumer = await transport.consume(queue, seen.handler())
        await bench.until('all are handled', () => seen.calls.length >= 10)
        await consumer.stop()
        await bench.faults.restart()
        await transport.consume(queue, seen.handler())
        await bench.quiet()
        assert.deepEqual(seen.sorted, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
      },
    },
    {
      id: '8b',
      sentence: 'Given `ack` resolved, when all connections are cut, then no redelivery',
      needs: { faults: ['cut'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        await transport.sendMany(
          queue,
          Array.from({ length: 10 }, (_, data) => ({ data })),
        )
        const seen = bench.record()
        const consumer = await transport.consume(queue, seen.handler())
        await bench.until('all are handled', () => seen.calls.length >= 10)
        await consumer.stop()
        await bench.faults.cut('all')
        await bench.until('it is connected again', () => transport.health().state === 'up')
        const other = await bench.open()
        await other.consume(queue, seen.handler())
        await bench.quiet()
        assert.deepEqual(seen.sorted, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
      },
    },
    {
      id: '11',
      sentence: 'Given `release`, then redelivery does not raise the failure count',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const events = bench.events(transport)
        const seen = bench.record()
        await transport.consume(
          queue,
          seen.handler(({ context }) => {
            const calls = seen.calls.length
            if (calls === 1) return context.release()
            if (calls === 2) throw new Error('a failure')
            if (calls === 3) return context.release({ delayMs: 2_000 })
            return 'done'
          }),
          { retryDelay: fixed(1_000), maxAttempts: bench.countsFailures ? 2 : 5 },
        )
        await transport.send(queue, { data: 'a' })
        await bench.until('it is handled', () => seen.calls.length >= 4)
        await bench.quiet()
        bench.checkAttempts(seen.calls, [1, 1, 2, 2])
        const waited = (seen.calls[3]?.startedAt ?? 0) - (seen.calls[2]?.startedAt ?? 0)
        assert.ok(waited >= 2_000, `a release of 2,000 ms came back after ${waited} ms`)
        assert.equal(events.of('retried').length, 1)
        assert.equal(await transport.deadLetters(queue).count(), 0)
      },
    },
    {
      id: '11b',
      sentence:
        'Given more releases than `maxDeliveries`, then the message is not taken for one that ends its process',
      needs: { features: ['uncountedRelease'] },
      run: (bench) => releaseOften(bench, { releases: 11, maxDeliveries: 5 }),
    },
    {
      id: '11c',
      sentence:
        'Given more releases with a delay than `maxDeliveries`, then the message is not taken for one that ends its process',
      needs: { features: ['uncountedPostpone'] },
      run: (bench) => releaseOften(bench, { releases: 5, maxDeliveries: 4, delayMs: 100 }),
    },
    {
      id: '19',
      sentence: 'Given a failing error callback, then the message is redelivered and the consumer survives',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const events = bench.events(transport)
        const broken = (): void => {
          throw new Error('a listener that is broken')
        }
        transport.on('retried', broken)
        transport.on('deadLettered', broken)
        const seen = bench.record()
        await transport.consume(
          queue,
          seen.handler(({ data }) => {
            if (data === 'bad') throw new Error('never')
          }),
          { retryDelay: fixed(1_000), maxAttempts: 2, concurrency: 1 },
        )
        await transport.send(queue, { data: 'bad' })
        await bench.deadLetters(transport, queue, 1)
        await transport.send(queue, { data: 'good' })
        await bench.until('the next one is handled', () => seen.of('good').length > 0)
        await bench.quiet()
        assert.deepEqual(
          seen.of('bad').map((call) => call.attempt),
          [1, 2],
        )
        assert.equal(seen.of('good').length, 1)
        assert.equal(events.of('callbackFailed').length, 2)
        assert.equal(events.of('retried').length, 1)
      },
    },
    {
      id: '49',
      sentence: 'Given a value that is no settlement, then whatever the handler returns is an ack',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const seen = bench.record()
        const values: unknown[] = [undefined, null, false, { verb: 'retry' }, [], new Error('returned')]
        await transport.consume(
          queue,
          seen.handler(({ data }) =>
            (data as number) % 2 === 0 ? values[data as number] : Promise.resolve(values[data as number]),
          ),
        )
        await transport.sendMany(
          queue,
          values.map((_, data) => ({ data })),
        )
        await bench.until('all are handled', () => seen.calls.length >= values.length)
        await bench.quiet()
        assert.deepEqual(
          seen.sorted,
          values.map((_, data) => data),
        )
        assert.equal(await transport.deadLetters(queue).count(), 0)
      },
    },
    {
      id: '50',
      sentence:
        'Given a settlement that fails to reach the broker, then it is tried again and the message handled once',
      needs: { faults: ['failSettlements'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const events = bench.events(transport)
        const seen = bench.record()
        await transport.consume(queue, seen.handler())
        await bench.faults.failSettlements(2)
        await transport.send(queue, { data: 'a', id: 'order-1' })
        await bench.until('both failures are told', () => events.of('settlementFailed').length >= 2)
        await bench.quiet()
        assert.deepEqual(seen.data, ['a'])
        assert.deepEqual(
          events.of('settlementFailed').map(({ id, verb }) => `${id} ${verb}`),
          ['order-1 ack', 'order-1 ack'],
        )
        const { ready = 0, inFlight = 0 } = await transport.depth(queue)
        assert.deepEqual({ ready, inFlight }, { ready: 0, inFlight: 0 })
      },
    },
  ],
}
