import {
  metrics,
  propagation,
  trace,
  type MeterProvider,
  type TextMapPropagator,
  type TracerProvider,
} from '@opentelemetry/api'
import { optionRules } from '@posthorn/transport/options'
import { instrument } from './attributes.ts'
import { traceHandlers } from './trace-handlers.ts'
import { traceSends } from './trace-sends.ts'
import type { Middleware, PublishMiddleware } from '@posthorn/transport'

export interface OpenTelemetryOptions {
  /** Of `messaging.system`: `rabbitmq`, `kafka`, … */
  readonly system: string
  /**
   * Whether the span of a handler links to the one that sent its message, or is its child. A link keeps a trace from growing
   * for as long as messages cause others. Default `link`.
   */
  readonly relation?: 'link' | 'parent'
  /** Default: the global one. */
  readonly tracerProvider?: TracerProvider
  /** Default: the global one. */
  readonly meterProvider?: MeterProvider
  /** How the context travels in headers. Default: the global one. */
  readonly propagator?: TextMapPropagator
}

export interface OpenTelemetry {
  /**
   * For `use` of consumers: a span for each attempt, around its handler, and one for its settlement. None for what is only
   * held.
   */
  readonly use: Middleware
  /** For `publishUse` of transports: a span for each send, whose context goes along in the headers of its messages. */
  readonly publishUse: PublishMiddleware
}

/** Spans and metrics under the names of OpenTelemetry's conventions. */
export function openTelemetry(options: OpenTelemetryOptions): OpenTelemetry {
  optionRules.checkOptions('openTelemetry()', options, rules)
  const { system, relation = 'link' } = options
  const tracer = (options.tracerProvider ?? trace).getTracer(scope)
  const meter = (options.meterProvider ?? metrics).getMeter(scope)
  const propagator = options.propagator ?? propagation
  const seconds = (name: string): ReturnType<typeof meter.createHistogram> =>
    meter.createHistogram(name, { unit: 's', advice: { explicitBucketBoundaries } })
  const operationDuration = seconds(instrument.operationDuration)
  return {
    use: traceHandlers({
      system,
      relation,
      tracer,
      propagator,
      consumed: meter.createCounter(instrument.consumed, { unit: '{message}' }),
      duration: seconds(instrument.processDuration),
      operationDuration,
    }),
    publishUse: traceSends({
      system,
      tracer,
      propagator,
      sent: meter.createCounter(instrument.sent, { unit: '{message}' }),
      duration: operationDuration,
    }),
  }
}

const scope = '@posthorn/metrics'

/** As the conventions advise. */
const explicitBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

const provider = optionRules.custom('a provider of OpenTelemetry', (value) => typeof value === 'object')

const rules: Readonly<Record<keyof OpenTelemetryOptions, optionRules.Rule>> = {
  system: optionRules.required(optionRules.text()),
  relation: optionRules.oneOf('link', 'parent'),
  tracerProvider: provider,
  meterProvider: provider,
  propagator: provider,
}
