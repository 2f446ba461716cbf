import type { SendOptions, Transport } from '@posthorn/transport'
import { checkTransport, optionRules } from '@posthorn/transport/options'
import {
  checkOutgoing,
  schemasRule,
  type JsonMap,
  type JsonSchemas,
  type SchemaInputs,
  type SchemaOutputs,
  type SchemasOf,
  type StandardSchema,
} from '@posthorn/transport/schema'
import type { EventBus, EventOptions, PublishOptions } from './event-bus.ts'
import { subscribeTo } from './subscribe-to.ts'

/**
 * Events on any broker, all of one topic. It holds no connection of its own: what is open is its transport and its
 * subscriptions. The type map comes from the schemas.
 */
export function createEventBus<Schemas extends JsonSchemas<Schemas>>(
  transport: Transport,
  topic: string,
  options: SchemaOptions<Schemas>,
): EventBus<SchemaInputs<Schemas>, SchemaOutputs<Schemas>>
/** The same, with the type map given: event name to data. */
export function createEventBus<Events extends object & JsonMap<Events> = Record<string, unknown>>(
  transport: Transport,
  topic: string,
  options?: Partial<SchemaOptions<SchemasOf<Events>>>,
): EventBus<Events>
export function createEventBus(
  transport: Transport,
  topic: string,
  options: Partial<SchemaOptions<Schemas>> = {},
): EventBus<Record<string, unknown>> {
  const where = `createEventBus(${JSON.stringify(topic)})`
  checkTransport(where, transport)
  optionRules.checkOptions(where, options, { schemas: schemasRule })
  const { schemas } = options

  return {
    topic,
    async publish(type: string, data: unknown, { via, timeoutMs, signal, ...fields }: PublishOptions = {}) {
      const checking = checkOutgoing(`publish to "${topic}"`, 'event', schemas, [{ type, data }])
      // Without a wait, so that events of the same turn travel together.
      if (checking !== undefined) await checking
      await (via ?? transport).publish(topic, { ...fields, type, data }, { timeoutMs, signal })
    },
    async publishMany(
      events: readonly (EventOptions & { readonly type: string; readonly data: unknown })[],
      sending?: SendOptions,
    ) {
      const checking = checkOutgoing(`publishMany to "${topic}"`, 'event', schemas, events)
      if (checking !== undefined) await checking
      await transport.publishMany(topic, events, sending)
    },
    subscribe: (patterns, handler, subscribing) =>
      subscribeTo(transport, topic, schemas, patterns, handler as never, subscribing),
  }
}

export interface SchemaOptions<Schemas> {
  /** A Standard Schema for each event name. Publishing validates and sends what it was given; handlers get the output. */
  readonly schemas: Schemas
}

type Schemas = Readonly<Record<string, StandardSchema>>
