import { createRouter, type Source, type WireMessage } from '@posthorn/transport/driver'

/** Whether a message of its topic is one for the source. */
export function matcherOf(source: Source): (message: Pick<WireMessage, 'routingKey'>) => boolean {
  if (!('patterns' in source) || source.patterns.includes('#')) return () => true
  const router = createRouter<true>()
  for (const pattern of source.patterns) router.add(pattern, true)
  return ({ routingKey }) => router.route(routingKey).length > 0
}
