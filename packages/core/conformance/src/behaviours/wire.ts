import assert from 'node:assert/strict'
import { fixed } from '@posthorn/transport'
import type { Area } from '../behaviour.ts'

const broken: readonly (readonly [what: string, body: Uint8Array])[] = [
  ['JSON that ends early', Buffer.from('{"a":')],
  ['broken UTF-8', Uint8Array.of(0x22, 0xff, 0xfe, 0x22)],
  ['JSON nested 100,000 deep', Buffer.from('['.repeat(100_000) + ']'.repeat(100_000))],
  ['no JSON at all', Buffer.from('hello')],
]

const forged: readonly Readonly<Record<string, string>>[] = [
  { 'posthorn-version': '1', 'posthorn-attempt': '-1' },
  { 'posthorn-version': '1', 'posthorn-attempt': '1e309' },
  { 'posthorn-version': '1', 'posthorn-attempt': 'x' },
  { 'posthorn-version': '1', 'posthorn-releases': '-5' },
  { 'posthorn-version': '1', 'posthorn-expires-at': 'tomorrow' },
  { 'posthorn-version': '99', 'posthorn-attempt': '1' },
]

export const wire: Area = {
  title: 'What comes from the wire',
  behaviours: [
    {
      id: '18',
      sentence:
        'Given an undecodable message, then it is dead-lettered on first delivery and successors flow',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        await transport.declare({ queues: [{ name: queue }] })
        const events = bench.events(transport)
        for (const [, body] of broken)
          await bench.put(queue, { body, headers: { 'content-type': 'application/json' } })
        const seen = bench.record()
        await transport.consume(queue, seen.handler(), { concurrency: 1, maxAttempts: 5 })
        await transport.send(queue, { data: 'successor' })
        await bench.until('the successor is handled', () => seen.calls.length > 0)
        await bench.deadLetters(transport, queue, broken.length)
        await bench.quiet()
        assert.deepEqual(seen.data, ['successor'])
        const { entries } = await transport.deadLetters(queue).page()
        for (const [what, body] of broken) {
          const entry = entries.find((one) => Buffer.from(one.body).equals(body))
          assert.ok(entry !== undefined, `the raw bytes of ${what} are kept`)
          assert.deepEqual(
            [entry.reason, entry.attempts, entry.error?.code],
            ['undecodable', 0, 'POSTHORN_UNDECODABLE'],
            what,
          )
        }
        assert.equal(events.of('decodeFailed').length, broken.length)
      },
    },
    {
      id: '69',
      sentence:
        'Given forged or unknown envelope headers, then the message is dead-lettered at once with its bytes, and never handled',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        await transport.declare({ queues: [{ name: queue }] })
        const body = Buffer.from('{"total":1}')
        for (const headers of forged)
          await bench.put(queue, { body, headers: { ...headers, 'posthorn-id': 'forged' } })
        const seen = bench.record()
        await transport.consume(queue, seen.handler(), { concurrency: 1 })
        await transport.send(queue, { data: 'successor' })
        await bench.until('the successor is handled', () => seen.calls.length > 0)
        await bench.deadLetters(transport, queue, forged.length)
        await bench.quiet()
        assert.deepEqual(seen.data, ['successor'])
        const { entries } = await transport.deadLetters(queue).page()
        for (const entry of entries) {
          assert.ok(body.equals(entry.body))
          assert.deepEqual([entry.reason, entry.attempts], ['undecodable', 0])
        }
      },
    },
    {
      id: '70',
      sentence:
        "Given a foreign program's JSON without our headers, then it is consumed, with an identity that is stable or none",
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        await transport.declare({ queues: [{ name: queue }] })
        await bench.put(queue, { json: { total: 12.5, list: ['ü'] }, headers: { tenant: 'acme' } })
        const seen = bench.record()
        await transport.consume(
          queue,
          seen.handler(({ attempt }) => {
            if (attempt === 1) throw new Error('again')
          }),
          { retryDelay: fixed(1_000) },
        )
        await bench.until('it is handled', () => seen.calls.length >= 2)
        await bench.quiet()
        assert.deepEqual(seen.attempts, [1, 2])
        for (const { message } of seen.calls) {
          assert.deepEqual(message.data, { total: 12.5, list: ['ü'] })
          assert.equal(message.type, queue)
          assert.equal(message.headers['tenant'], 'acme')
          assert.equal(message.replays, 0)
        }
        const keys = seen.calls.map((call) => call.context.idempotencyKey)
        if (keys[0] === undefined) assert.deepEqual(keys, [undefined, undefined])
        else assert.deepEqual(keys, [keys[0], keys[0]])
      },
    },
    {
      id: '70b',
      sentence:
        'Given our own messages, then the idempotency key is their id, on every attempt and after a replay',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const seen = bench.record()
        await transport.consume(
          queue,
          seen.handler(({ message, attempt, context }) => {
            if (message.replays > 0) return 'done'
            if (attempt === 1) throw new Error('again')
            return context.deadLetter({ reason: 'no' })
          }),
          { retryDelay: fixed(1_000) },
        )
        await transport.send(queue, { data: 'a', id: 'order-1' })
        await bench.deadLetters(transport, queue, 1)
        await transport.deadLetters(queue).replay('all')
        await bench.until('it is replayed', () => seen.calls.length >= 3)
        assert.deepEqual(
          seen.calls.map((call) => call.context.idempotencyKey),
          ['order-1', 'order-1', 'order-1'],
        )
      },
    },
    {
      id: '70c',
      sentence:
        "Given a foreign program's message without an id, when it is retried, dead-lettered and replayed, then its idempotency key is the same each time, or missing each time",
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        await transport.declare({ queues: [{ name: queue }] })
        await bench.put(queue, { json: 1 })
        const seen = bench.record()
        await transport.consume(
          queue,
          seen.handler(({ message, attempt, context }) => {
            if (attempt === 1) throw new Error('again')
            return message.replays === 0 ? context.deadLetter({ reason: 'no' }) : 'done'
          }),
          { retryDelay: fixed(1_000) },
        )
        await bench.deadLetters(transport, queue, 1)
        await transport.deadLetters(queue).replay('all')
        await bench.until('the replayed one is handled', () => seen.calls.length >= 4)
        await bench.quiet()
        assert.deepEqual(seen.attempts, [1, 2, 1, 2])
        const keys = seen.calls.map((call) => call.context.idempotencyKey)
        assert.deepEqual(
          keys,
          keys.map(() => keys[0]),
        )
      },
    },
    {
      id: '71',
      sentence: 'Given a body over `maxBytes` of the consumer, then it is dead-lettered unread',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const seen = bench.record()
        await transport.consume(queue, seen.handler(), { maxBytes: 100 })
        await transport.send(queue, { data: 'x'.repeat(99), id: 'large' })
        await transport.send(queue, { data: 'x'.repeat(98), id: 'fits' })
        await bench.deadLetters(transport, queue, 1)
        await bench.until('the other one is handled', () => seen.calls.length > 0)
        await bench.quiet()
        assert.deepEqual(seen.ids, ['fits'])
        const { entries } = await transport.deadLetters(queue).page()
        assert.deepEqual(
          entries.map((entry) => [entry.id, entry.reason, entry.attempts, entry.body.length]),
          [['large', 'too-large', 0, 101]],
        )
      },
    },
  ],
}
