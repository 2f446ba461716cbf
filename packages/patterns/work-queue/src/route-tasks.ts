import { PosthornError, type Handler } from '@posthorn/transport'
import { optionRules } from '@posthorn/transport/options'
import { listNames, withSchema, type StandardSchema } from '@posthorn/transport/schema'

/**
 * One handler out of one for each task name, by the message's type. A task that none is for is dead-lettered at once:
 * another worker of the same queue would have none either, and after an upgrade it can be replayed.
 */
export function routeTasks(
  queue: string,
  handlers: Readonly<Record<string, Handler>>,
  schemas: Readonly<Record<string, StandardSchema>> | undefined,
): Handler {
  const where = `work(${JSON.stringify(queue)})`
  const names = Object.keys(schemas ?? handlers ?? {})
  const rule = optionRules.required(optionRules.callback())
  optionRules.checkOptions(
    `${where} handlers`,
    handlers,
    Object.fromEntries(names.map((name) => [name, rule])),
  )
  if (names.length === 0) {
    const message = `${where} needs a handler: { 'task-name': (message, context) => … }.`
    throw new PosthornError('POSTHORN_INVALID_OPTION', message, { phase: 'options' })
  }
  const routes = new Map<string, Handler>()
  for (const name of names) {
    const handler = handlers[name] as Handler
    const schema = schemas?.[name]
    routes.set(name, schema === undefined ? handler : withSchema(schema, handler))
  }

  return function handleTask(message, context) {
    const handler = routes.get(message.type)
    if (handler !== undefined) return handler(message, context)
    const reason = `no-handler: this worker knows ${listNames(names)}`
    const error = new PosthornError(
      'POSTHORN_NO_HANDLER',
      `"${queue}" has no handler for the task "${message.type}"; this worker knows ${listNames(names)}. ` +
        'Add one, then replay the dead letter.',
      { phase: 'handle' },
    )
    return context.deadLetter({ reason, error })
  }
}
