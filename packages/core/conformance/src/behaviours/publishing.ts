import assert from 'node:assert/strict'
import { rejection } from '../bench/errors.ts'
import { NotShown, type Area } from '../behaviour.ts'

/** What is larger than this is not made for a test. */
const largestBody = 256 * 1024 * 1024

export const publishing: Area = {
  title: 'Publishing',
  behaviours: [
    {
      id: '1',
      sentence:
        'Given `publish` resolved, when client and broker are killed at once, then the message is still delivered',
      needs: { features: ['durability'], faults: ['kill', 'restart'] },
      async run(bench) {
        const queue = bench.name('orders')
        const sender = await bench.open()
        await sender.send(queue, { data: 1 })
        await bench.faults.kill(sender)
        await bench.faults.restart()
        const seen = bench.record()
        const reader = await bench.open()
        await reader.consume(queue, seen.handler())
        await bench.until('the message arrives', () => seen.calls.length > 0)
        await bench.quiet()
        assert.deepEqual(seen.data, [1])
      },
    },
    {
      id: '1b',
      sentence:
        'Given `publish` resolved, when its client is killed at once, then the message is still delivered',
      needs: { faults: ['kill'] },
      async run(bench) {
        const queue = bench.name('orders')
        const confirmed: number[] = []
        for (let round = 0; round < 3; round += 1) {
          const sender = await bench.open()
          const numbers = Array.from({ length: 20 }, (_, index) => round * 20 + index)
          await Promise.all(
            numbers.map(async (data) => sender.send(queue, { data }).then(() => confirmed.push(data))),
          )
          await bench.faults.kill(sender)
        }
        assert.equal(confirmed.length, 60)
        const seen = bench.record()
        const reader = await bench.open()
        await reader.consume(queue, seen.handler())
        await bench.until('all arrive', () => seen.calls.length >= 60)
        await bench.quiet()
        assert.deepEqual(
          seen.sorted,
          confirmed.toSorted((a, b) => a - b),
        )
      },
    },
    {
      id: '2',
      sentence:
        'Given an unreachable broker, then publish rejects with a retryable typed error within its timeout',
      needs: { faults: ['refuse', 'cut'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        await transport.send(queue, { data: 1 })
        await bench.faults.refuse(true)
        await bench.faults.cut('all')
        await bench.until('the connection is known to be lost', () => transport.health().state !== 'up')
        const startedAt = bench.now()
        await rejection('send', transport.send(queue, { data: 2 }, { timeoutMs: 1_000 }), {
          code: ['POSTHORN_TIMEOUT', 'POSTHORN_CONNECTION_LOST'],
          retryable: true,
          outcome: 'rejected',
        })
        const took = bench.now() - startedAt
        assert.ok(took <= 1_000 + bench.slackMs, `it took ${took} ms, with a timeout of 1,000 ms`)
        const opening = bench.open({ connectTimeoutMs: 1_000 })
        await rejection('open', opening, { code: 'POSTHORN_CONNECT_FAILED', retryable: true })
        await bench.faults.refuse(false)
        await bench.until('it is connected again', () => transport.health().state === 'up')
        await transport.send(queue, { data: 3 })
        const seen = bench.record()
        await transport.consume(queue, seen.handler())
        await bench.until('what was confirmed arrives', () => seen.calls.length >= 2)
        await bench.quiet()
        assert.deepEqual(seen.sorted, [1, 3])
      },
    },
    {
      id: '3',
      sentence: 'Given no route, then `send` rejects `Unroutable` while `publish` resolves',
      async run(bench) {
        const topic = bench.name('events')
        const queue = bench.name('nowhere')
        const transport = await bench.open()
        await transport.publish(topic, { data: 1 })
        await transport.publishMany(topic, [{ data: 2 }, { data: 3 }])
        const strict = await bench.open({ topology: 'none' })
        const events = bench.events(strict)
        await rejection('send', strict.send(queue, { data: 1, id: 'lost-1', type: 'order.created' }), {
          code: 'POSTHORN_UNROUTABLE',
          outcome: 'rejected',
          retryable: false,
          mentions: [queue],
        })
        assert.deepEqual(events.of('returned'), [{ destination: queue, id: 'lost-1', type: 'order.created' }])
        await strict.publish(topic, { data: 4 })
      },
    },
    {
      id: '3b',
      sentence: 'Given mode `check` and a queue that is not there, then `send` rejects and makes nothing',
      async run(bench) {
        const queue = bench.name('nowhere')
        const topic = bench.name('events')
        const transport = await bench.open({ topology: 'check' })
        const missing = { code: 'POSTHORN_TOPOLOGY_MISSING', outcome: 'rejected', retryable: false } as const
        await rejection('send', transport.send(queue, { data: 1 }), missing)
        await rejection('publish', transport.publish(topic, { data: 1 }), missing)
        await rejection(
          'consume',
          transport.consume(queue, () => undefined),
          { code: 'POSTHORN_TOPOLOGY_MISSING' },
        )
        const plan = await transport.plan({ queues: [{ name: queue }], topics: [{ name: topic }] })
        const made = plan.filter((item) => item.action !== 'create').map((item) => item.name)
        assert.deepEqual(made, [], 'nothing was made on the way')
      },
    },
    {
      id: '4',
      sentence:
        'Given a body over the limit, then publish rejects `TooLarge`, non-retryable, and the connection survives',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const { maxBodyBytes, maxHeaderBytes } = bench.capabilities.limits
        if (maxBodyBytes > largestBody)
          throw new NotShown(`the limit of ${maxBodyBytes} bytes is too large to be tried`)
        const events = bench.events(transport)
        await transport.send(queue, { data: 'before' })
        await rejection('send', transport.send(queue, { data: new Uint8Array(maxBodyBytes + 1) }), {
          code: 'POSTHORN_BODY_TOO_LARGE',
          outcome: 'rejected',
          retryable: false,
          mentions: [String(maxBodyBytes), String(maxBodyBytes + 1)],
        })
        await rejection(
          'send',
          transport.send(queue, { data: 1, headers: { large: 'x'.repeat(maxHeaderBytes + 1) } }),
          {
            code: 'POSTHORN_HEADERS_TOO_LARGE',
            outcome: 'rejected',
            retryable: false,
          },
        )
        await transport.send(queue, { data: 'after' })
        assert.deepEqual(events.of('connection'), [])
        const seen = bench.record()
        await transport.consume(queue, seen.handler())
        await bench.until('both arrive', () => seen.calls.length >= 2)
        await bench.quiet()
        assert.deepEqual(new Set(seen.data), new Set(['before', 'after']))
        assert.equal(seen.calls.length, 2)
      },
    },
    {
      id: '43',
      sentence: 'Given sends that are not awaited one by one, then they arrive in the order of the calls',
      needs: { features: ['keyOrder'] },
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        await bench.declareKeyed(transport, queue)
        const sends: Promise<void>[] = []
        const numbers = Array.from({ length: 300 }, (_, index) => index)
        for (const data of numbers.slice(0, 200)) sends.push(transport.send(queue, { data, key: 'a' }))
        await Promise.all(sends)
        await transport.sendMany(
          queue,
          numbers.slice(200).map((data) => ({ data, key: 'a' })),
        )
        const seen = bench.record()
        const whileRetrying = bench.has('holdKey') ? 'hold-key' : 'overtake'
        await transport.consume(queue, seen.handler(), { order: 'key', whileRetrying })
        await bench.until('all arrive', () => seen.calls.length >= 300)
        await bench.quiet()
        assert.deepEqual(seen.data, numbers)
      },
    },
    {
      id: '44',
      sentence:
        'Given sends under way, when the transport is closed, then they end first, and each has its outcome',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        await transport.send(queue, { data: -1 })
        const sends = Array.from({ length: 50 }, (_, data) => bench.later(transport.send(queue, { data })))
        const report = await transport.close()
        await Promise.all(sends)
        assert.deepEqual(report, { consumers: [], unconfirmed: 0, clean: true })
        const seen = bench.record()
        const reader = await bench.open()
        await reader.consume(queue, seen.handler())
        await bench.until('all arrive', () => seen.calls.length >= 51)
        await bench.quiet()
        assert.deepEqual(
          seen.sorted,
          Array.from({ length: 51 }, (_, index) => index - 1),
        )
      },
    },
  ],
}
