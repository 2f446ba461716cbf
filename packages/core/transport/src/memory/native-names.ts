import type { Destination, Source } from '../contract/driver.ts'

/**
 * Names on the broker. `:`, `/` and `~` are in no logical name, so different ones never meet, whatever the namespaces.
 */
export function nativeName(namespace: string, name: string): string {
  return namespace === '' ? name : `${namespace}:${name}`
}

export function nativeGroup(namespace: string, topic: string, group: string): string {
  return nativeName(namespace, `${topic}/${group}`)
}

export function nativeInbox(namespace: string, name: string): string {
  return nativeName(namespace, `~${name}`)
}

/** Of the queue that a destination means, or of its topic. */
export function nativeDestination(namespace: string, destination: Destination): string {
  return destination.kind === 'inbox'
    ? nativeInbox(namespace, destination.name)
    : nativeName(namespace, destination.name)
}

/** Of the queue behind a source that lives on; ephemeral ones are made for their consumer. */
export function nativeSource(
  namespace: string,
  source: Exclude<Source, { readonly kind: 'ephemeral' }>,
): string {
  switch (source.kind) {
    case 'queue':
      return nativeName(namespace, source.name)
    case 'subscription':
      return nativeGroup(namespace, source.topic, source.group)
    case 'inbox':
      return nativeInbox(namespace, source.name)
  }
}

export function defaultDeadLetterQueue(nativeSourceName: string): string {
  return `${nativeSourceName}.dlq`
}
