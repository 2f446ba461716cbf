import type { Source } from '@posthorn/transport/driver'

// Logical names hold neither ":" nor "~" nor "/", so none of these can be somebody else's.

/** A queue, topic or inbox on the broker: `orders`, or `<namespace>:orders`. */
export function nativeName(namespace: string, name: string): string {
  return namespace === '' ? name : `${namespace}:${name}`
}

/** The queue of a group on the broker. */
export function nativeGroup(namespace: string, topic: string, group: string): string {
  return nativeName(namespace, `${topic}/${group}`)
}

/** The queue that a source is read from; an ephemeral subscription has one of a name that is made for each consumer. */
export function nativeSource(
  namespace: string,
  source: Exclude<Source, { readonly kind: 'ephemeral' }>,
): string {
  return source.kind === 'subscription'
    ? nativeGroup(namespace, source.topic, source.group)
    : nativeName(namespace, source.name)
}

/** The inbox address that a native name stands for, or the name as it is where it is no inbox of the namespace. */
export function addressOf(namespace: string, native: string): string {
  const prefix = nativeName(namespace, '')
  return native.startsWith(`${prefix}inbox/`) ? native.slice(prefix.length) : native
}

/** Where it is recorded what the owner of a queue has to know of earlier ones. */
export function heldQueue(queue: string): string {
  return `${queue}~held`
}

/** What gives the messages of a group to its shards, by their slots. Called as the queue of the group is. */
export function shardExchange(queue: string): string {
  return queue
}

/** What takes those that have no slot. */
export function restExchange(queue: string): string {
  return `${queue}~rest`
}

/** The exclusive queue of an instance that consumes a source with shards. */
export function seatLock(queue: string, seat: number): string {
  return `${queue}~seat~${seat}`
}

/** The exclusive queue that exists while a pass over the dead letters is open. */
export function passLock(deadLetterQueue: string): string {
  return `${deadLetterQueue}~pass`
}

/** What belongs to all sources of a virtual host. No namespace can be called so: it has no second colon. */
export const ownObjects = {
  /** Takes what is delayed, by its first step. */
  delay: 'posthorn:delay:',
  /** Takes what has waited, by where it belongs. */
  returns: 'posthorn:return:',
  /** Takes what belongs to nobody any more. */
  lost: 'posthorn:lost:',
  /** Takes and drops: a topic without subscribers is fine. */
  nowhere: 'posthorn:nowhere:',
  /** Exists when the rest does. The number is the layout's. */
  complete: 'posthorn:complete:1',
} as const

/** The queue of one step, and the exchange that it goes on to. */
export function delayStep(stepMs: number): string {
  return `posthorn:delay:${stepMs}`
}
