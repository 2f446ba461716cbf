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
import { attribute } from './attributes.ts'
import type { Context, Message, Middleware, Settlement } from '@posthorn/transport'

export interface TraceHandlersParts {
  readonly system: string
  readonly relation: 'link' | 'parent'
  readonly tracer: Tracer
  readonly propagator: Pick<TextMapPropagator<Readonly<Record<string, string>>>, 'extract'>
  readonly consumed: Counter
  readonly duration: Histogram
}

const getter = {
  get: (carrier: Readonly<Record<string, string>>, name: string): string | undefined => carrier[name],
  keys: (carrier: Readonly<Record<string, string>>): string[] => Object.keys(carrier),
}

/** A consumer's span for each attempt, around all that is inside of it. */
export function traceHandlers(parts: TraceHandlersParts): Middleware {
  const { system, relation, tracer, propagator, consumed, duration } = parts
  return {
    name: 'OpenTelemetry',
    phase: 'observe',
    wrap(next, { source, clock }) {
      const attributes = {
        [attribute.system]: system,
        [attribute.destination]: source,
        [attribute.operation]: 'process',
        [attribute.operationType]: 'process',
      }

      const begin = (message: Message, context: Context): Span => {
        const sender = propagator.extract(ROOT_CONTEXT, message.headers, getter)
        const link = trace.getSpanContext(sender)
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
          ...(relation === 'link' && link !== undefined ? { links: [{ context: link }] } : {}),
        }
        return tracer.startSpan(`process ${source}`, options, relation === 'parent' ? sender : ROOT_CONTEXT)
      }

      const end = (span: Span, begunAt: number, settlement: Settlement | undefined, error: unknown): void => {
        const failure =
          settlement === undefined ? error : 'error' in settlement ? settlement.error : undefined
        const isFailed =
          settlement === undefined || settlement.verb === 'retry' || settlement.verb === 'deadLetter'
        if (settlement !== undefined) span.setAttribute(attribute.settlement, settlement.verb)
        if (isFailed) span.setStatus({ code: SpanStatusCode.ERROR })
        if (failure instanceof Error) span.recordException(failure)
        const measured = isFailed ? { ...attributes, [attribute.errorType]: '_OTHER' } : attributes
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
