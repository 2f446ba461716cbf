import {
  PosthornError,
  type Consumer,
  type Handler,
  type SubscriptionOptions,
  type Transport,
} from '@posthorn/transport'
import { consumeOptionsPassedOn, optionRules, passedOn } from '@posthorn/transport/options'
import { listNames, withSchema, type StandardSchema } from '@posthorn/transport/schema'
import type { SubscribeOptions } from './event-bus.ts'

type Schemas = Readonly<Record<string, StandardSchema>>

const subscribeRules = {
  ...consumeOptionsPassedOn,
  group: passedOn,
  ephemeral: passedOn,
  from: passedOn,
  unknownEvents: optionRules.oneOf('dead-letter', 'ignore'),
} satisfies Record<KeysOf<SubscribeOptions>, optionRules.Rule>

type KeysOf<Union> = Union extends unknown ? keyof Union : never

/** Subscribes with a handler that gets only what its schemas know. */
export async function subscribeTo(
  transport: Transport,
  topic: string,
  schemas: Schemas | undefined,
  patterns: string | readonly string[],
  handler: Handler,
  options: SubscribeOptions | undefined,
): Promise<Consumer> {
  const where = `subscribe(${JSON.stringify(topic)})`
  optionRules.checkOptions(where, options, subscribeRules)
  if (patterns === undefined) {
    const text = `${where} takes the names or patterns of the events first, and got undefined. '#' is all of them.`
    throw new PosthornError('POSTHORN_INVALID_PATTERN', text, { phase: 'options' })
  }
  const { unknownEvents = 'dead-letter', ...consuming } = options ?? ({} as SubscribeOptions)
  const checked =
    schemas === undefined || typeof handler !== 'function'
      ? handler
      : routeEvents(topic, schemas, handler, unknownEvents)
  const subscription: SubscriptionOptions = { ...consuming, patterns }
  return transport.subscribe(topic, checked, subscription)
}

function routeEvents(
  topic: string,
  schemas: Schemas,
  handler: Handler,
  unknownEvents: 'dead-letter' | 'ignore',
): Handler {
  const names = Object.keys(schemas)
  const routes = new Map(Object.entries(schemas).map(([name, schema]) => [name, withSchema(schema, handler)]))
  const handleEvent: Handler = (event, context) => {
    const route = routes.get(event.type)
    if (route !== undefined) return route(event, context)
    if (unknownEvents === 'ignore') return undefined
    const error = new PosthornError(
      'POSTHORN_NO_HANDLER',
      `"${topic}" has no schema for the event "${event.type}" here; known: ${listNames(names)}. ` +
        "Add one and replay the dead letter, or subscribe with unknownEvents: 'ignore'.",
      { phase: 'handle' },
    )
    return context.deadLetter({ reason: `unknown-event: known here: ${listNames(names)}`, error })
  }
  // The name goes into dead letters.
  return Object.defineProperty(handleEvent, 'name', { value: handler.name })
}
