import { optionRules } from '@posthorn/transport/options'
import type { Depth, SourceRef, Transport, TransportEvents } from '@posthorn/transport'
import type { Labelled } from './labelled.ts'
import type { Counter } from './counter.ts'
import type { Meters } from './meters.ts'

export interface WatchOptions {
  /** The transport's name in labels; give one where two are of the same broker. Default: the broker's name. */
  readonly name?: string
  /** Sources to poll beside those that are consumed here. */
  readonly sources?: readonly SourceRef[]
  /** Milliseconds between two looks at depths. Default 15,000. */
  readonly pollMs?: number
}

export const watchRules: Readonly<Record<keyof WatchOptions, optionRules.Rule>> = {
  name: optionRules.text({ max: 100 }),
  sources: optionRules.list(
    optionRules.custom('a queue, or { topic, group }', (value) => nameOf(value as SourceRef) !== undefined),
  ),
  pollMs: optionRules.duration({ min: 100 }),
}

/** Events that are counted, under the names that they have as labels. */
const counted = {
  returned: 'returned',
  settlementFailed: 'settlement_failed',
  leaseLost: 'lease_lost',
  expired: 'expired',
  decodeFailed: 'decode_failed',
  retried: 'retried',
  deadLetterFailed: 'dead_letter_failed',
  handlerTimedOut: 'handler_timed_out',
  handlerFailed: 'handler_failed',
  suspect: 'suspect',
  paused: 'paused',
  stalled: 'stalled',
  rebuilt: 'rebuilt',
  gap: 'gap',
} as const satisfies Partial<Record<keyof TransportEvents, string>>

/** What the transport and the policies say; a handler's own reason could be anything. */
const knownReasons: ReadonlySet<string> = new Set([
  'attempts-exhausted',
  'deliveries-exhausted',
  'idempotency-conflict',
  'no-idempotency-key',
  'not-retryable',
  'retry-after-too-long',
  'time-exhausted',
  'too-large',
  'undecodable',
])

/** Counts a transport's events and polls what waits. Answers how to stop; it stops by itself when the transport is closed. */
export function watchTransport(meters: Meters, transport: Transport, options: WatchOptions): () => void {
  const { name = transport.broker, sources = [], pollMs = 15_000 } = options
  const stops: (() => void)[] = []
  const up = meters.up.of(name)
  const look = (): void => {
    up.value = transport.health().state === 'up' ? 1 : 0
  }

  stops.push(
    transport.on('connection', ({ state }) => {
      meters.connectionChanges.of(name, state).add()
      look()
      if (state === 'closed') stop()
    }),
    transport.on('deadLettered', ({ source, reason }) => {
      meters.deadLetters.of(source, knownReasons.has(reason) ? reason.replaceAll('-', '_') : 'handler').add()
    }),
  )
  for (const [event, label] of Object.entries(counted) as [keyof typeof counted, string][]) {
    stops.push(
      transport.on(event, (happened) => {
        const where = 'source' in happened ? happened.source : happened.destination
        meters.happened.of(where, label).add()
      }),
    )
  }

  let cancelTimer: (() => void) | undefined
  let shown: ReadonlyMap<string, unknown> = new Map()
  /** What was true a while ago says nothing now. */
  const showOnly = (polled: ReadonlyMap<string, unknown>): void => {
    for (const source of shown.keys()) if (!polled.has(source)) forget(meters, source)
    shown = polled
  }
  const poll = async (): Promise<void> => {
    look()
    const { state, consumers } = transport.health()
    // Of one that was closed before, no event tells.
    if (state === 'closed') return stop()
    const consumed = consumers.map(({ source }) => source)
    const polled = new Map([...sources, ...consumed].map((one) => [nameOf(one), one]))
    showOnly(polled)
    for (const [name, source] of polled) {
      if (stopped) return
      await read(meters, transport, source)
      if (stopped) forget(meters, name)
    }
  }
  const pollAgain = (): void => {
    void poll().finally(() => {
      if (!stopped) cancelTimer = transport.clock.setTimer(pollAgain, pollMs)
    })
  }
  let stopped = false
  const stop = (): void => {
    stopped = true
    cancelTimer?.()
    for (const one of stops.splice(0)) one()
    showOnly(new Map())
  }
  look()
  pollAgain()
  return stop
}

async function read(meters: Meters, transport: Transport, source: SourceRef): Promise<void> {
  const name = nameOf(source)
  try {
    put(meters, name, await transport.depth(source))
  } catch {
    meters.pollFailures.of(name).add()
    forget(meters, name)
  }
}

function forget(meters: Meters, source: string): void {
  for (const gauge of [meters.depth, meters.oldestAgeSeconds, meters.lag]) gauge.keep(([of]) => of !== source)
}

function put(meters: Meters, source: string, depth: Depth): void {
  const set = (gauge: Labelled<Counter>, value: number | undefined, ...state: readonly string[]): void => {
    if (value !== undefined) gauge.of(source, ...state).value = value
    else gauge.keep(([of, ...rest]) => of !== source || rest.join() !== state.join())
  }
  set(meters.depth, depth.ready, 'ready')
  set(meters.depth, depth.delayed, 'delayed')
  set(meters.depth, depth.inFlight, 'in_flight')
  set(meters.depth, depth.deadLettered, 'dead_lettered')
  set(meters.oldestAgeSeconds, depth.oldestAgeMs === undefined ? undefined : depth.oldestAgeMs / 1_000)
  set(meters.lag, depth.lag)
}

function nameOf(source: SourceRef): string {
  if (typeof source === 'string') return source
  return 'queue' in source ? source.queue : `${source.topic}/${source.group}`
}
