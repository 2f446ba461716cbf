import { hash } from 'node:crypto'
import type { DeadLetter, DeadLetterEdit } from '@posthorn/transport'
import { viewOf, type DeadLetterView } from './dead-letter-view.ts'

/** What is different in the copy that is replayed; fields left out stay as they are. `undefined`: replay it as it is. */
export type EditDeadLetter = (
  entry: DeadLetterView,
) => DeadLetterChanges | undefined | Promise<DeadLetterChanges | undefined>

/** The copy's own `id` is made of the old one and the changes unless it is given, so that it is the same when the edit is repeated. */
export type DeadLetterChanges = Omit<DeadLetterEdit['edit'], 'id'> & { readonly id?: string }

export async function editDeadLetter(
  entry: DeadLetter,
  edit: EditDeadLetter,
): Promise<DeadLetterEdit | undefined> {
  const changes = await edit(viewOf(entry))
  return changes === undefined
    ? undefined
    : { edit: { ...changes, id: changes.id ?? deriveId(entry.id, changes) } }
}

/** A UUID of version 8. What cannot be shown as JSON is refused later, when it is sent. */
function deriveId(id: string, changes: DeadLetterChanges): string {
  const digest = hash('sha256', JSON.stringify([id, 'edited', show(changes)]), 'hex')
  const variant = '89ab'[Number.parseInt(digest[16]!, 16) & 3]!
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-${variant}${digest.slice(17, 20)}-${digest.slice(20, 32)}`
}

function show(changes: DeadLetterChanges): string {
  try {
    return JSON.stringify(changes)
  } catch {
    return ''
  }
}
