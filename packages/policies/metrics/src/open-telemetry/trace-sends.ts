import {
  context as contexts,
  SpanKind,
  SpanStatusCode,
  trace,
  type Counter,
  type Histogram,
  type TextMapPropagator,
  type Tracer,
} from '@opentelemetry/api'
import { attribute, errorType } from './attributes.ts'
import type { OutgoingMessage, PublishMiddleware } from '@posthorn/transport'

export interface TraceSendsParts {
  readonly system: string
  readonly tracer: Tracer
  readonly propagator: Pick<TextMapPropagator<Record<string, string>>, 'inject'>
  readonly sent: Counter
  readonly duration: Histogram
}

const setter = {
  set(carrier: Record<string, string>, name: string, value: string): void {
    carrier[name] = value
  },
}

/** A producer's span for each send; the messages carry its context. */
export function traceSends(parts: TraceSendsParts): PublishMiddleware {
  const { system, tracer, propagator, sent, duration } = parts
  return {
    name: 'OpenTelemetry',
    phase: 'observe',
    wrap(next, clock) {
      return async (batch) => {
        const { kind, destination, messages } = batch
        const [only] = messages
        const attributes = {
          [attribute.system]: system,
          [attribute.destination]: destination,
          [attribute.operation]: kind,
          [attribute.operationType]: 'send',
        }
        const span = tracer.startSpan(`${kind} ${destination}`, {
          kind: SpanKind.PRODUCER,
          attributes: {
            ...attributes,
            ...(messages.length === 1 && only?.id !== undefined ? { [attribute.messageId]: only.id } : {}),
            ...(messages.length === 1 ? {} : { [attribute.batchSize]: messages.length }),
          },
        })
        const carried: Record<string, string> = {}
        const inner = trace.setSpan(contexts.active(), span)
        propagator.inject(inner, carried, setter)
        const begunAt = clock.now()
        let error: unknown
        try {
          await contexts.with(inner, () =>
            next({ ...batch, messages: messages.map((message) => withHeaders(message, carried)) }),
          )
        } catch (thrown) {
          error = thrown
          span.setStatus({ code: SpanStatusCode.ERROR, message: errorType(thrown) })
          throw thrown
        } finally {
          const measured =
            error === undefined ? attributes : { ...attributes, [attribute.errorType]: errorType(error) }
          if (error !== undefined) span.setAttribute(attribute.errorType, errorType(error))
          sent.add(messages.length, measured)
          duration.record(Math.max(0, clock.now() - begunAt) / 1_000, measured)
          span.end()
        }
      }
    },
  }
}

/** What the sender has set itself stays. What is no message is left for the transport to refuse. */
function withHeaders(message: OutgoingMessage, carried: Readonly<Record<string, string>>): OutgoingMessage {
  if (typeof message !== 'object' || message === null) return message
  return { ...message, headers: { ...carried, ...message.headers } }
}
