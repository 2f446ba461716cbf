import {
  context as contexts,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Counter,
  type Histogram,
  type Span,
  type TextMapPropagator,
  type Tracer,
} from '@opentelemetry/api'
import { attribute, errorType, sourceAttributes } from './attributes.ts'
import { settlementNames, traceSettlement } from './trace-settlements.ts'
import type { Context, Message, Middleware, Settlement } from '@posthorn/transport'

export interface TraceHandlersParts {
  readonly system: string
  readonly relation: 'link' | 'parent'
  readonly tracer: Tracer
  readonly propagator: Pick<TextMapPropagator<Readonly<Record<string, string>>>, 'extract'>
  readonly consumed: Counter
  readonly duration: Histogram
  readonly operationDuration: Histogram
}

const getter = {
  get: (carrier: Readonly<Record<string, string>>, name: string): string | undefined => carrier[name],
  keys: (carrier: Readonly<Record<string, string>>): string[] => Object.keys(carrier),
}

/** A consumer's span for each attempt, around all that is inside of it, and one for its settlement. */
export function traceHandlers(parts: TraceHandlersParts): Middleware {
  const { system, relation, tracer, propagator, consumed, duration, operationDuration } = parts
  return {
    name: 'OpenTelemetry',
    phase: 'observe',
    wrap(next, runtime) {
      const { source, clock } = runtime
      const ofSource = sourceAttributes(system, source)
      const settlements = { tracer, attributes: ofSource, operationDuration, clock }
      const name = `process ${String(ofSource[attribute.destination])}`
      const attributes = {
        ...ofSource,
        [attribute.operation]: 'process',
        [attribute.operationType]: 'process',
      }

      const begin = (message: Message, context: Context): Span => {
        const sender = propagator.extract(ROOT_CONTEXT, message.headers, getter)
        const sentBy = trace.getSpanContext(sender)
        const links = sentBy === undefined ? [] : [{ context: sentBy }]
        const options = {
          kind: SpanKind.CONSUMER,
          attributes: {
            ...attributes,
            [attribute.messageId]: message.id,
            [attribute.messageType]: message.type,
            [attribute.attempt]: context.attempt,
            [attribute.deliveries]: context.deliveries,
            ...(message.correlationId === undefined
              ? {}
              : { [attribute.conversation]: message.correlationId }),
          },
          links,
        }
        const span = tracer.startSpan(name, options, relation === 'parent' ? sender : ROOT_CONTEXT)
        runtime.onSettle(context, traceSettlement(settlements, span, message.id, links))
        return span
      }

      const end = (
        span: Span,
        begunAt: number,
        settlement: Settlement | undefined,
        thrown: unknown,
      ): void => {
        const failure =
          settlement === undefined ? thrown : 'error' in settlement ? settlement.error : undefined
        const isFailed =
          settlement === undefined || settlement.verb === 'retry' || settlement.verb === 'deadLetter'
        if (settlement !== undefined)
          span.setAttribute(attribute.settlement, settlementNames[settlement.verb])
        const error = isFailed ? { [attribute.errorType]: errorType(failure) } : {}
        if (isFailed) span.setStatus({ code: SpanStatusCode.ERROR }).setAttributes(error)
        if (failure instanceof Error) span.recordException(failure)
        const measured = { ...attributes, ...error }
        consumed.add(1, measured)
        duration.record(Math.max(0, clock.now() - begunAt) / 1_000, measured)
        span.end()
      }

      return (message: Message, context: Context) => {
        const span = begin(message, context)
        const begunAt = clock.now()
        const failed = (error: unknown): never => {
          end(span, begunAt, undefined, error)
          throw error
        }
        let settlement: Settlement | Promise<Settlement>
        try {
          settlement = contexts.with(trace.setSpan(ROOT_CONTEXT, span), () => next(message, context))
        } catch (error) {
          return failed(error)
        }
        if (!(settlement instanceof Promise)) {
          end(span, begunAt, settlement, undefined)
          return settlement
        }
        return settlement.then((settled) => {
          end(span, begunAt, settled, undefined)
          return settled
        }, failed)
      }
    },
  }
}
