import { note } from '../src/note.ts'
import type { WireMessage } from '@posthorn/transport/driver'

/** A message with only what every message has, and these fields. */
export function wireMessage(fields: Partial<WireMessage> = {}): WireMessage {
  return {
    ...note('m', 0),
    type: 'order.created',
    contentType: '',
    routingKey: 'order.created',
    ...fields,
  }
}
