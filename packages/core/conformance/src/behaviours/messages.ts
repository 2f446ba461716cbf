import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { fixed } from '@posthorn/transport'
import { rejection } from '../bench/errors.ts'
import type { Area } from '../behaviour.ts'

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

export const messages: Area = {
  title: 'Messages',
  behaviours: [
    {
      id: '6',
      sentence:
        'Given empty, binary and large bodies and Unicode headers, then they round-trip byte-identically',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const large = Math.min(200_000, bench.capabilities.limits.maxBodyBytes - 2)
        const bodies: unknown[] = [
          new Uint8Array(0),
          Uint8Array.from({ length: 256 }, (_, byte) => byte),
          Uint8Array.from(randomBytes(large)),
          null,
          0,
          '',
          'x'.repeat(large),
          { name: 'Žluťoučký kůň', emoji: '🎉\u2028"\\', deep: [[[{ a: null }]]], number: -1.5e-300 },
          [true, false, 1, 'two'],
        ]
        const headers = { 'X-Case': 'Kept', key: 'ключ → 値 🎉', empty: '', long: 'ü'.repeat(500) }
        await transport.sendMany(
          queue,
          bodies.map((data, index) => ({ data, headers: { ...headers, index: String(index) } })),
        )
        const seen = bench.record()
        await transport.consume(queue, seen.handler())
        await bench.until('all arrive', () => seen.calls.length >= bodies.length)
        await bench.quiet()
        assert.equal(seen.calls.length, bodies.length)
        for (const { message } of seen.calls) {
          const { index, ...rest } = message.headers
          const sent = bodies[Number(index)]
          if (sent instanceof Uint8Array) {
            assert.ok(message.data instanceof Uint8Array, `body ${index} arrives as bytes`)
            assert.ok(Buffer.from(sent).equals(message.data), `body ${index} has the same bytes`)
          } else assert.deepEqual(message.data, sent)
          assert.deepEqual(rest, headers)
          assert.equal(Object.getPrototypeOf(message.headers), null, 'headers have no prototype')
        }
      },
    },
    {
      id: '6b',
      sentence: 'Given every field of a message, then each arrives as it was sent',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const expiresAt = bench.now() + 86_400_000
        const inbox = bench.has('inbox') ? await transport.inbox(() => undefined) : undefined
        const optional = {
          ...(bench.has('priority') ? { priority: 7 } : {}),
          ...(inbox === undefined ? {} : { replyTo: inbox.address }),
        }
        const sent = {
          id: 'order-4711',
          type: 'order.created',
          time: 1_700_000_000_123,
          key: 'Kunde 4711/ü',
          routingKey: 'order.eu.created',
          correlationId: 'trace-1',
          causationId: 'cause-1',
          expiresAt,
          ...optional,
        }
        await transport.send(queue, { ...sent, data: { total: 12.5 } })
        await transport.send(queue, { data: 'plain' })
        const seen = bench.record()
        await transport.consume(queue, seen.handler())
        await bench.until('both arrive', () => seen.calls.length >= 2)
        const full = seen.calls.find((call) => call.id === sent.id)?.message
        assert.ok(full !== undefined)
        assert.deepEqual(
          { ...full, headers: { ...full.headers } },
          {
            priority: undefined,
            replyTo: undefined,
            ...sent,
            data: { total: 12.5 },
            headers: {},
            replays: 0,
          },
        )
        const plain = seen.of('plain')[0]?.message
        assert.ok(plain !== undefined)
        assert.equal(plain.type, queue)
        assert.equal(plain.routingKey, queue)
        assert.match(plain.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
        for (const field of [
          'key',
          'correlationId',
          'causationId',
          'replyTo',
          'expiresAt',
          'priority',
        ] as const) {
          assert.equal(plain[field], undefined, field)
        }
      },
    },
    {
      id: '7',
      sentence:
        'Given user headers clashing with reserved names, then publish rejects; unknown headers survive retry, dead letter and replay',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const proto = JSON.parse('{"__proto__":"x"}') as Record<string, string>
        for (const headers of [{ 'posthorn-attempt': '0' }, { 'Posthorn-Id': 'x' }, proto]) {
          await rejection('send', transport.send(queue, { data: 1, headers }), {
            code: 'POSTHORN_INVALID_HEADER',
            outcome: 'rejected',
            retryable: false,
          })
        }
        const headers = { 'x-tenant': 'acme', 'X-Upper': 'Ä', 'content-language': 'cs' }
        await transport.send(queue, { data: 2, headers })
        const seen = bench.record()
        const options = { retryDelay: fixed(1_000), maxAttempts: 2 }
        await transport.consume(
          queue,
          seen.handler(({ message }) => {
            if (message.replays === 0) throw new Error('not yet')
          }),
          options,
        )
        await bench.deadLetters(transport, queue, 1)
        const { entries } = await transport.deadLetters(queue).page()
        assert.deepEqual({ ...entries[0]?.headers }, headers)
        await transport.deadLetters(queue).replay('all')
        await bench.until('the replayed one arrives', () => seen.calls.length >= 3)
        assert.deepEqual(
          seen.calls.map(({ message }) => ({ ...message.headers })),
          [headers, headers, headers],
        )
      },
    },
    {
      id: '15',
      sentence:
        'Given a handler mutating headers or body, then neither next attempt nor dead letter shows it',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const json = { list: [1, 2], nested: { a: 'b' } }
        const bytes = Uint8Array.of(1, 2, 3)
        await transport.send(queue, { data: json, id: 'json', headers: { a: '1' } })
        await transport.send(queue, { data: bytes, id: 'bytes', headers: { a: '1' } })
        const shown: string[] = []
        await transport.consume(
          queue,
          ({ id, data, headers }) => {
            shown.push(
              `${id} ${data instanceof Uint8Array ? data.join() : JSON.stringify(data)} ${JSON.stringify(headers)}`,
            )
            const mutable = headers as Record<string, string>
            mutable['a'] = 'changed'
            mutable['b'] = 'added'
            if (data instanceof Uint8Array) data.fill(9)
            else {
              const changed = data as { list: unknown[]; nested: unknown }
              changed.list.push('more')
              changed.nested = undefined
            }
            throw new Error('again')
          },
          { retryDelay: fixed(1_000), maxAttempts: 2, concurrency: 1 },
        )
        await bench.deadLetters(transport, queue, 2)
        assert.deepEqual(shown.toSorted(), [
          'bytes 1,2,3 {"a":"1"}',
          'bytes 1,2,3 {"a":"1"}',
          'json {"list":[1,2],"nested":{"a":"b"}} {"a":"1"}',
          'json {"list":[1,2],"nested":{"a":"b"}} {"a":"1"}',
        ])
        const { entries } = await transport.deadLetters(queue).page()
        for (const entry of entries) {
          assert.deepEqual({ ...entry.headers }, { a: '1' })
          const body = entry.id === 'bytes' ? bytes : Buffer.from(JSON.stringify(json))
          assert.ok(
            Buffer.from(body).equals(entry.body),
            `the dead letter "${entry.id}" has the original bytes`,
          )
        }
      },
    },
    {
      id: '40',
      sentence: 'Given trace context, then the consumer span links to it and prefetching creates no span',
      async run(bench) {
        const queue = bench.name('orders')
        const transport = await bench.open()
        const headers = { traceparent, tracestate: 'vendor=1' }
        await transport.sendMany(
          queue,
          Array.from({ length: 5 }, (_, data) => ({ data, headers })),
        )
        const gate = bench.gate()
        const spans: string[] = []
        const seen = bench.record()
        await transport.consume(
          queue,
          seen.handler(async ({ data, attempt }) => {
            await gate.opened
            if (data === 0 && attempt === 1) throw new Error('again')
          }),
          {
            concurrency: 1,
            prefetch: 5,
            retryDelay: fixed(1_000),
            use: [
              {
                name: 'tracing',
                phase: 'observe',
                wrap: (next) => (message, context) => {
                  spans.push(`${message.headers['traceparent'] ?? ''} ${message.headers['tracestate'] ?? ''}`)
                  return next(message, context)
                },
              },
            ],
          },
        )
        await bench.until('the first handler runs', () => seen.running === 1)
        await bench.advance(200)
        assert.equal(spans.length, 1, 'four messages are prefetched at most, and make no span')
        gate.open()
        await bench.until('all are handled', () => seen.calls.length >= 6)
        await bench.quiet()
        assert.deepEqual(
          spans,
          Array.from({ length: 6 }, () => `${traceparent} vendor=1`),
        )
      },
    },
    {
      id: '46',
      sentence:
        'Given a handler that sends, then its outputs carry their cause and have the same ids on every attempt',
      async run(bench) {
        const queue = bench.name('orders')
        const out = bench.name('invoices')
        const topic = bench.name('events')
        const transport = await bench.open()
        const sent = bench.record()
        const published = bench.record()
        await transport.consume(out, sent.handler())
        await transport.subscribe(topic, published.handler(), { group: 'all' })
        const seen = bench.record()
        await transport.consume(
          queue,
          seen.handler(async ({ context, attempt }) => {
            await context.send(out, { data: 'one' })
            await context.send(out, { data: 'two' })
            await context.publish(topic, { data: 'event' })
            if (attempt === 1) throw new Error('again')
          }),
          { retryDelay: fixed(1_000) },
        )
        await transport.send(queue, { data: 1, id: 'cause-1', correlationId: 'trace-1' })
        await bench.until(
          'both attempts have sent',
          () => sent.calls.length >= 4 && published.calls.length >= 2,
        )
        await bench.quiet()
        assert.deepEqual(seen.attempts, [1, 2])
        assert.equal(sent.calls.length, 4)
        assert.equal(published.calls.length, 2)
        const ids = ['one', 'two'].map((data) => new Set(sent.of(data).map((call) => call.id)))
        assert.deepEqual(
          ids.map((set) => set.size),
          [1, 1],
          'each output has one id',
        )
        const all = new Set([...sent.ids, ...published.ids])
        assert.equal(all.size, 3, 'different outputs have different ids')
        for (const { message } of [...sent.calls, ...published.calls]) {
          assert.equal(message.causationId, 'cause-1')
          assert.equal(message.correlationId, 'trace-1')
        }
      },
    },
  ],
}
