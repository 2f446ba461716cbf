import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Histogram,
  type Link,
  type Span,
  type Tracer,
} from '@opentelemetry/api'
import { attribute } from './attributes.ts'
import type { Clock, SettlementBegins } from '@posthorn/transport'

export interface TraceSettlementsParts {
  readonly tracer: Tracer
  /** Of the source. */
  readonly attributes: Attributes
  readonly operationDuration: Histogram
  readonly clock: Clock
}

/** Our verbs as the names of operations. */
export const settlementNames: Readonly<Record<Parameters<SettlementBegins>[0], string>> = {
  ack: 'ack',
  retry: 'retry',
  release: 'release',
  hold: 'hold',
  deadLetter: 'dead_letter',
}

/** A client's span for what the broker is told of an attempt, until that is answered; a child of the attempt's own. */
export function traceSettlement(
  { tracer, attributes, operationDuration, clock }: TraceSettlementsParts,
  attempt: Span,
  messageId: string,
  links: Link[],
): SettlementBegins {
  return (verb) => {
    const name = settlementNames[verb]
    const own = { ...attributes, [attribute.operation]: name, [attribute.operationType]: 'settle' }
    const begunAt = clock.now()
    const span = tracer.startSpan(
      `${name} ${String(attributes[attribute.destination])}`,
      { kind: SpanKind.CLIENT, attributes: { ...own, [attribute.messageId]: messageId }, links },
      trace.setSpan(ROOT_CONTEXT, attempt),
    )
    return (outcome) => {
      const failed = outcome === 'lost' ? { [attribute.errorType]: 'POSTHORN_LEASE_LOST' } : {}
      if (outcome === 'lost') span.setStatus({ code: SpanStatusCode.ERROR }).setAttributes(failed)
      operationDuration.record(Math.max(0, clock.now() - begunAt) / 1_000, { ...own, ...failed })
      span.end()
    }
  }
}
