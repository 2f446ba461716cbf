import type { DeadLetterEdit } from '../contract/dead-letter-tools.ts'
import type { OutgoingMessage } from '../contract/message.ts'
import type { WireMessage } from '../contract/wire-message.ts'
import { PosthornError } from '../errors.ts'
import type { PrepareMessage } from '../message/prepare-message.ts'
import { showValue } from '../options/show-value.ts'

/** `original` with the changes of an edit, checked as a message to send is. */
export function editedMessage(
  original: WireMessage,
  edit: DeadLetterEdit['edit'],
  destination: string,
  prepare: PrepareMessage,
): WireMessage {
  if (typeof edit !== 'object' || edit === null)
    throw refusal(original, `an object, and is ${showValue(edit)}`)
  const changes: Partial<OutgoingMessage> = edit
  if (changes.id === undefined || changes.id === original.id)
    throw refusal(
      original,
      'a message with another id, so that nobody takes the copy for what it was made of',
    )
  if (changes.delayMs !== undefined) throw refusal(original, 'replayed now, without delayMs')
  const prepared = prepare(destination, { data: original.body, ...changes })
  const { body, contentType } = changes.data === undefined ? original : prepared
  const changed = Object.entries(changes).flatMap(([name, value]) =>
    value === undefined || name === 'data' ? [] : [[name, prepared[name as keyof WireMessage]]],
  )
  return {
    ...original,
    idMadeUp: false,
    causationId: original.id,
    ...Object.fromEntries(changed),
    body,
    contentType,
  }
}

function refusal({ id }: WireMessage, wanted: string): PosthornError {
  return new PosthornError(
    'POSTHORN_INVALID_OPTION',
    `The edit of the dead letter of message ${id} must be ${wanted}. Nothing was done about it.`,
    { phase: 'options' },
  )
}
