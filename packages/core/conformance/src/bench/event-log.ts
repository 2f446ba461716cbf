import type { Transport, TransportEvents } from '@posthorn/transport'

type EventName = keyof TransportEvents

const eventNames: readonly EventName[] = [
  'connection',
  'returned',
  'settlementFailed',
  'leaseLost',
  'expired',
  'decodeFailed',
  'retried',
  'deadLettered',
  'deadLetterFailed',
  'handlerTimedOut',
  'handlerFailed',
  'suspect',
  'paused',
  'resumed',
  'stalled',
  'rebuilt',
  'gap',
  'callbackFailed',
]

/** Every event of a transport from now on. */
export interface EventLog {
  of<Name extends EventName>(name: Name): readonly TransportEvents[Name][]
}

export function logEvents(transport: Transport): EventLog {
  const events: Partial<Record<EventName, unknown[]>> = {}
  for (const name of eventNames) {
    const list: unknown[] = []
    events[name] = list
    transport.on(name, (event) => list.push(event))
  }
  return {
    of: <Name extends EventName>(name: Name) => (events[name] ?? []) as readonly TransportEvents[Name][],
  }
}
