import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { context as contexts, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { memory } from '@posthorn/transport/memory'
import { createVirtualClock, type VirtualClock } from '@posthorn/transport/testing'
import { createMetrics } from './create-metrics.ts'
import { exportTo, openTelemetry, type OpenTelemetryOptions } from './opentelemetry.ts'
import type { ObservedBreaker } from './watch-breakers.ts'
import type { SettlementBegins, Transport } from '@posthorn/transport'

// Without a manager the context ends at the first await.
const manager = new AsyncLocalStorageContextManager()
beforeAll(() => void contexts.setGlobalContextManager(manager.enable()))
afterAll(() => void manager.disable())

interface Bench {
  readonly clock: VirtualClock
  readonly spans: InMemorySpanExporter
  readonly telemetry: ReturnType<typeof openTelemetry>
  readonly transport: Transport
  readonly meterProvider: MeterProvider
  /** Points by the name of their metric. */
  readonly collect: () => Promise<
    Record<string, readonly { readonly attributes: object; readonly value: unknown }[]>
  >
}

async function start(relation?: OpenTelemetryOptions['relation']): Promise<Bench> {
  const clock = createVirtualClock()
  const spans = new InMemorySpanExporter()
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 30 })
  const meterProvider = new MeterProvider({ readers: [reader] })
  const telemetry = openTelemetry({
    system: 'memory',
    ...(relation === undefined ? {} : { relation }),
    tracerProvider: new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] }),
    meterProvider,
    propagator: new W3CTraceContextPropagator(),
  })
  const transport = await memory({ clock, publishUse: [telemetry.publishUse] })
  return {
    clock,
    spans,
    telemetry,
    transport,
    meterProvider,
    async collect() {
      await reader.forceFlush()
      const scopes = exporter.getMetrics().at(-1)?.scopeMetrics ?? []
      return Object.fromEntries(
        scopes.flatMap(({ metrics }) =>
          metrics.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints]),
        ),
      )
    },
  }
}

describe('OpenTelemetry', () => {
  test('links the span of a handler to the one that sent its message, across the broker', async () => {
    const { transport, telemetry, spans, clock } = await start()
    let inner: string | undefined
    await transport.consume(
      'orders',
      async () => {
        await Promise.resolve()
        inner = trace.getActiveSpan()?.spanContext().traceId
      },
      { use: [telemetry.use] },
    )
    await transport.send('orders', { data: 1, id: 'order-1', correlationId: 'c' })
    await clock.advance(100)
    const [sent, handled, settled] = spans.getFinishedSpans()
    expect([sent?.name, sent?.kind]).toEqual(['send orders', SpanKind.PRODUCER])
    expect([handled?.name, handled?.kind]).toEqual(['process orders', SpanKind.CONSUMER])
    expect(handled?.links.map(({ context }) => context.spanId)).toEqual([sent?.spanContext().spanId])
    expect(handled?.spanContext().traceId).not.toBe(sent?.spanContext().traceId)
    expect(inner).toBe(handled?.spanContext().traceId)
    expect(handled?.attributes).toMatchObject({
      'messaging.system': 'memory',
      'messaging.destination.name': 'orders',
      'messaging.message.id': 'order-1',
      'messaging.message.conversation_id': 'c',
      'posthorn.message.attempt': 1,
      'posthorn.settlement': 'ack',
    })
    expect([settled?.name, settled?.kind]).toEqual(['ack orders', SpanKind.CLIENT])
    expect(settled?.parentSpanContext?.spanId).toBe(handled?.spanContext().spanId)
    expect(settled?.links.map(({ context }) => context.spanId)).toEqual([sent?.spanContext().spanId])
    expect(settled?.attributes).toEqual({
      'messaging.system': 'memory',
      'messaging.destination.name': 'orders',
      'messaging.operation.name': 'ack',
      'messaging.operation.type': 'settle',
      'messaging.message.id': 'order-1',
    })
    await transport.close()
  })

  test('says what became of each attempt: what the broker was told, and when it was there', async () => {
    const { transport, telemetry, spans, clock, collect } = await start()
    const answers = ['ack', 'release', 'retry', 'deadLetter']
    await transport.consume(
      'orders',
      ({ data }, context) => {
        if (context.deliveries > 1) return undefined
        if (data === 'release') return context.release({ delayMs: 60_000 })
        if (data === 'retry') return context.retry({ delayMs: 60_000 })
        return data === 'deadLetter' ? context.deadLetter({ reason: 'mine' }) : undefined
      },
      { use: [telemetry.use] },
    )
    for (const data of answers) await transport.send('orders', { data })
    await clock.advance(100)
    const settled = spans
      .getFinishedSpans()
      .filter(({ attributes }) => attributes['messaging.operation.type'] === 'settle')
    expect(settled.map(({ name, status }) => [name, status.code])).toEqual(
      ['ack orders', 'release orders', 'retry orders', 'dead_letter orders'].map((name) => [
        name,
        SpanStatusCode.UNSET,
      ]),
    )
    const durations = (await collect())['messaging.client.operation.duration']
    expect(durations?.map(({ attributes }) => attributes)).toContainEqual({
      'messaging.system': 'memory',
      'messaging.destination.name': 'orders',
      'messaging.operation.name': 'dead_letter',
      'messaging.operation.type': 'settle',
    })
    await transport.close()
  })

  test('names topic and group of a subscription', async () => {
    const { transport, telemetry, spans, clock } = await start()
    await transport.subscribe('events', () => undefined, { group: 'billing', use: [telemetry.use] })
    await transport.subscribe('events', () => undefined, { ephemeral: true, use: [telemetry.use] })
    await transport.publish('events', { type: 'order.paid', data: 1 })
    await clock.advance(100)
    const handled = spans.getFinishedSpans().filter(({ name }) => name === 'process events')
    expect(handled.map(({ attributes }) => attributes['messaging.destination.name'])).toEqual(
      Array(2).fill('events'),
    )
    expect(new Set(handled.map(({ attributes }) => attributes['messaging.consumer.group.name']))).toEqual(
      new Set(['billing', undefined]),
    )
    await transport.close()
  })

  test('marks the settlement of what was not ours any more', async () => {
    const clock = createVirtualClock()
    const { telemetry, spans } = await start()
    const begun: SettlementBegins[] = []
    const runtime = {
      source: 'orders',
      clock,
      onSettle: (_: unknown, begins: SettlementBegins) => void begun.push(begins),
    }
    const handle = telemetry.use.wrap(() => ({ verb: 'ack' }) as never, runtime as never)
    void handle({ id: '1', headers: {} } as never, {} as never)
    const ends = begun[0]?.('ack')
    await clock.advance(10)
    ends?.('lost')
    const [settled] = spans.getFinishedSpans().slice(-1)
    expect([settled?.name, settled?.status.code]).toEqual(['ack orders', SpanStatusCode.ERROR])
    expect(settled?.attributes['error.type']).toBe('POSTHORN_LEASE_LOST')
  })

  test('makes it a child where that is wanted', async () => {
    const { transport, telemetry, spans, clock } = await start('parent')
    await transport.consume('orders', () => undefined, { use: [telemetry.use] })
    await transport.send('orders', { data: 1 })
    await clock.advance(100)
    const [sent, handled] = spans.getFinishedSpans()
    expect(handled?.parentSpanContext?.spanId).toBe(sent?.spanContext().spanId)
    expect(handled?.spanContext().traceId).toBe(sent?.spanContext().traceId)
    await transport.close()
  })

  test('marks what failed, and makes a span for each attempt but none for what only waits', async () => {
    const { transport, telemetry, spans, clock } = await start()
    const consumer = await transport.consume(
      'orders',
      (_, { attempt }) => {
        if (attempt === 1) throw new TypeError('no stock')
      },
      { use: [telemetry.use], retryDelay: () => 1_000 },
    )
    consumer.pause()
    await transport.send('orders', { data: 1 })
    await clock.advance(100)
    expect(spans.getFinishedSpans().map(({ name }) => name)).toEqual(['send orders'])
    consumer.resume()
    await clock.advance(5_000)
    const attempts = spans.getFinishedSpans().filter(({ name }) => name === 'process orders')
    expect(
      attempts.map(({ status, attributes }) => [status.code, attributes['posthorn.settlement']]),
    ).toEqual([
      [SpanStatusCode.ERROR, 'retry'],
      [SpanStatusCode.UNSET, 'ack'],
    ])
    expect(attempts[0]?.events.map(({ attributes }) => attributes?.['exception.message'])).toEqual([
      'no stock',
    ])
    await transport.close()
  })

  test('gives a batch one span and the same context, and keeps headers of the sender', async () => {
    const { transport, telemetry, spans, clock } = await start()
    const headers: unknown[] = []
    await transport.consume('orders', (message) => void headers.push(message.headers), {
      use: [telemetry.use],
      concurrency: 1,
    })
    await transport.sendMany('orders', [{ data: 1, headers: { tenant: 'a' } }, { data: 2 }])
    await clock.advance(100)
    const sent = spans.getFinishedSpans().find(({ name }) => name === 'send orders')
    expect(sent?.attributes['messaging.batch.message_count']).toBe(2)
    const { traceId, spanId } = sent!.spanContext()
    const traceparent = `00-${traceId}-${spanId}-01`
    expect(headers).toEqual([{ tenant: 'a', traceparent }, { traceparent }])
    await transport.close()
  })

  test('tells a failed send, and leaves its error as it is', async () => {
    const { transport, spans } = await start()
    await expect(transport.send('orders', { data: 1n })).rejects.toMatchObject({
      code: 'POSTHORN_INVALID_DATA',
    })
    await expect(transport.send('orders', undefined as never)).rejects.toMatchObject({
      code: 'POSTHORN_INVALID_MESSAGE',
    })
    const [sent] = spans.getFinishedSpans()
    expect(sent?.status.code).toBe(SpanStatusCode.ERROR)
    expect(sent?.attributes['error.type']).toBe('POSTHORN_INVALID_DATA')
    await transport.close()
  })

  test('counts and times under the names of the conventions, and shows what else is counted', async () => {
    const { transport, telemetry, clock, meterProvider, collect } = await start()
    const metrics = createMetrics()
    const counts = vi.fn<ObservedBreaker['counts']>(() => ({
      succeeded: 0,
      failed: 0,
      ignored: 0,
      rejected: 0,
      opened: 1,
    }))
    metrics.watchBreaker({ name: 'bank', state: 'closed', counts })
    exportTo(meterProvider.getMeter('mine'), metrics)
    await transport.consume('orders', () => undefined, { use: [telemetry.use, metrics.use] })
    await transport.sendMany('orders', [{ data: 1 }, { data: 2 }])
    await clock.advance(100)
    const found = await collect()
    const of = (name: string): unknown => found[name]?.map(({ value }) => value)
    expect(of('messaging.client.sent.messages')).toEqual([2])
    expect(of('messaging.client.consumed.messages')).toEqual([2])
    expect(of('messaging.process.duration')).toEqual([expect.objectContaining({ count: 2 })])
    expect(of('messaging.client.operation.duration')).toEqual([
      expect.objectContaining({ count: 1 }),
      // The two acks.
      expect.objectContaining({ count: 2 }),
    ])
    expect(of('posthorn_messages_received_total')).toEqual([2])
    expect(of('posthorn_handlers_running')).toEqual([0])
    expect(of('posthorn_breaker_opened_total')).toEqual([1])
    // Read once for each of the two metrics that come from them.
    expect(counts).toHaveBeenCalledTimes(2)
    await transport.close()
  })

  test('refuses options that cannot work', () => {
    expect(() => openTelemetry({} as never)).toThrow('openTelemetry().system')
    expect(() => openTelemetry({ system: 'x', relation: 'sibling' as never })).toThrow('"link", "parent"')
  })
})
