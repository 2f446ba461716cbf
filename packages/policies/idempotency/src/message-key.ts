import { PosthornError, type Context, type Message } from '@posthorn/transport'

/** By what a repetition is recognised: 1 to 512 characters, the same for the same thing in every process. */
export type MessageKey = (message: Message, context: Context) => string | undefined

/** The consumer and the message. Two sources that get the same message each handle it. */
export const consumerAndId: MessageKey = ({ id }, { source, idempotencyKey }) =>
  // A template would be kept in two pieces, for as long as the claim.
  idempotencyKey === undefined ? undefined : [source, id].join('/')

/** Throws `POSTHORN_KEY_MISSING` rather than handle what could not be recognised when it comes again. */
export function keyOf(from: MessageKey, message: Message, context: Context): string {
  const key = from(message, context)
  if (typeof key === 'string' && key.length >= 1 && key.length <= 512) return key
  const text =
    from === consumerAndId
      ? `A message of type "${message.type}" in "${context.source}" has no id of its sender's, so a repetition could not be recognised. ` +
        'Have its sender set one (message_id in AMQP), or give `key`, a function of the message.'
      : `The key of message "${message.id}" in "${context.source}" must be a string of 1 to 512 characters.`
  throw new PosthornError('POSTHORN_KEY_MISSING', text, { phase: 'handle' })
}

export function keyConflict(key: string): PosthornError {
  const text = `"${key}" was used before, with another body. One of the two must not have it: whoever sends makes one key for each thing.`
  return new PosthornError('POSTHORN_KEY_CONFLICT', text, { phase: 'handle' })
}
