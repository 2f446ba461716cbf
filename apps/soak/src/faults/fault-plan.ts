import { seededRandom } from '@posthorn/test-brokers'

export type ServerFault = 'server killed' | 'server frozen'
export type ConnectionFault = 'connection cut' | 'connection reset' | 'connection silent'
export type MemberFault = 'producer killed' | 'worker killed' | 'worker frozen' | ConnectionFault
export type FaultKind = ServerFault | MemberFault

/** Something that will go wrong, decided before anything runs. */
export interface PlannedFault {
  /** It comes when this share of the messages has been handled. */
  readonly at: number
  readonly kind: FaultKind
  /** A number that says whom it hits, whatever there is to choose from. */
  readonly victim: number
  /** Of what is frozen or silent. Milliseconds. */
  readonly durationMs: number
}

export interface PlanOptions {
  readonly seed: number
  readonly restarts: number
  /** Freezes and silences stay shorter than the time after which a connection is given up. */
  readonly quick: boolean
}

/** Each kind in turn, in an order that the seed decides. */
const others: readonly FaultKind[] = [
  'worker killed',
  'connection cut',
  'producer killed',
  'connection silent',
  'worker frozen',
  'connection reset',
  'worker killed',
  'server frozen',
]

const perRestart = 3
/** Nothing goes wrong in the last part: there is hardly anything left to break. */
const calmAfter = 0.92

/** The same seed gives the same faults: `restarts` kills of the server, and three others for each (without any, nine). */
export function planFaults({ seed, restarts, quick }: PlanOptions): PlannedFault[] {
  const random = seededRandom(seed)
  const longestMs = quick ? 3_000 : 20_000
  const fault = (kind: FaultKind, at: number): PlannedFault => ({
    at: at * calmAfter,
    kind,
    victim: Math.floor(random() * 1_000),
    durationMs: Math.round(500 + random() ** 2 * (longestMs - 500)),
  })
  const spread = (count: number): number[] =>
    Array.from({ length: count }, (_, index) => (index + 0.2 + 0.6 * random()) / count)
  const kinds = others
    .map((kind) => ({ kind, place: random() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ kind }) => kind)

  return [
    ...spread(restarts).map((at) => fault('server killed', at)),
    ...spread(perRestart * Math.max(restarts, 3)).map((at, index) =>
      fault(kinds[index % kinds.length] ?? 'connection cut', at),
    ),
  ].toSorted((a, b) => a.at - b.at)
}
