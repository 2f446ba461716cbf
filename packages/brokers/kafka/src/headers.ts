import type { MessageHeaders } from '@posthorn/transport/driver'

// CloudEvents in binary mode: each attribute is a header. Version, id, source and type are required.

export const cloudEvent = {
  version: 'ce_specversion',
  id: 'ce_id',
  source: 'ce_source',
  type: 'ce_type',
  time: 'ce_time',
} as const

export const contentTypeHeader = 'content-type'

/** Headers of the driver's own. */
export const ownHeaders = {
  /** The partition of the source that a copy in its retry topic is of. */
  line: 'posthorn-line',
  deadLetter: 'posthorn-dead-letter',
  entry: 'posthorn-entry',
  /** Of a dead letter whose original had no value: without one it would be a tombstone. */
  noValue: 'posthorn-no-value',
  /** Of a record by which the owner of an inbox says that it lives. */
  sign: 'posthorn-sign',
} as const

/** Before the topic's name, the `ce_source` of what was sent without one. */
const ownSource = 'posthorn:'

export function sourceOf(topic: string): string {
  return ownSource + topic
}

/** A header of a user's that is called as one of these travels under another name. */
const kept = 'posthorn-header-'

const taken: ReadonlySet<string> = new Set([...Object.values(cloudEvent), contentTypeHeader])

/** Gives the user's headers that need it another name in `headers`, which is changed. A source may be given by its own. */
export function keepUsersHeaders(headers: Record<string, string>, users: MessageHeaders): void {
  for (const name in users) {
    if (!taken.has(name) || isOthersSource(name, users[name])) continue
    headers[kept + name] = users[name]!
    delete headers[name]
  }
}

function isOthersSource(name: string, value: string | undefined): boolean {
  return name === cloudEvent.source && value !== undefined && value !== '' && !value.startsWith(ownSource)
}

/** The headers of a record without those of the event, and with the user's under their own names; nothing where there are none. */
export function usersHeaders(
  headers: Readonly<Record<string, string | undefined>>,
  isEvent: boolean,
): Record<string, string | undefined> | undefined {
  let users: Record<string, string | undefined> | undefined
  for (const name in headers) {
    if (isEvent && taken.has(name) && !isOthersSource(name, headers[name])) continue
    users ??= {}
    users[name.startsWith(kept) ? name.slice(kept.length) : name] = headers[name]
  }
  return users
}
