import { precedes } from './entry.ts'
import { Heap } from './heap.ts'
import type { Backlog } from './backlog.ts'
import type { Entry } from './entry.ts'
import type { Session } from './session.ts'

/** One key with unsettled deliveries, or with messages parked behind them. */
export interface Lane {
  readonly key: string
  /** Who holds the unsettled deliveries, and so gets what comes next. */
  owner: Session | undefined
  held: number
  readonly parked: Heap<Entry>
}

/**
 * Keeps messages of one key in order and with one consumer at a time. A message whose key is busy with somebody else is
 * parked, so it is looked at once and not at each hand-out.
 *
 * Of a key that nobody holds, the first parked message is back in the backlog and stands for all of them: who takes it
 * gets the others.
 */
export class KeyLanes {
  /** Messages that are parked. */
  parked = 0
  private readonly backlog: Backlog
  private readonly lanes = new Map<string, Lane>()
  private readonly withParked = new Set<Lane>()

  constructor(backlog: Backlog) {
    this.backlog = backlog
  }

  get size(): number {
    return this.lanes.size
  }

  /** What the session can have in place of an entry from the backlog: the first of its key; nothing when that is busy. */
  admit(entry: Entry, session: Session): Entry | undefined {
    const { key } = entry.message
    if (key === undefined) return entry
    const lane = this.lanes.get(key) ?? this.open(key)
    if (lane.owner !== undefined && lane.owner !== session) {
      this.park(lane, entry)
      return undefined
    }
    let first = entry
    const parked = lane.parked.peek()
    if (parked !== undefined && precedes(parked, entry)) {
      this.park(lane, entry)
      first = this.unpark(lane)
    }
    this.hold(lane, first, session)
    return first
  }

  /** Notes an entry that is held already, when the lanes begin to matter. */
  adopt(entry: Entry, session: Session): void {
    const { key } = entry.message
    if (key !== undefined) this.hold(this.lanes.get(key) ?? this.open(key), entry, session)
  }

  /** The next parked entry of the session's own keys, unless the backlog has something that goes before it. */
  takeOwn(session: Session): Entry | undefined {
    const lane = nextLane(session.lanes)
    if (lane === undefined || this.backlog.hasBefore(lane.parked.peek() as Entry)) return undefined
    const entry = this.unpark(lane)
    this.hold(lane, entry, session)
    return entry
  }

  /** A parked entry for a consumer that does not care for order. */
  takeAny(): Entry | undefined {
    const [lane] = this.withParked
    return lane === undefined ? undefined : this.unpark(lane)
  }

  /** A delivery ended; what goes back must be back already. */
  leave(entry: Entry): void {
    const { lane } = entry
    if (lane === undefined) return
    entry.lane = undefined
    lane.held--
    if (lane.held > 0) return
    lane.owner?.lanes.delete(lane)
    lane.owner = undefined
    this.standIn(lane)
  }

  /** An entry left the backlog other than through `admit`: if it stood for its key, another one must. */
  passedBy(entry: Entry): void {
    if (this.lanes.size === 0 || entry.message.key === undefined) return
    const lane = this.lanes.get(entry.message.key)
    if (lane !== undefined && lane.owner === undefined) this.standIn(lane)
  }

  /** Removes an entry that is parked. */
  discard(entry: Entry): void {
    const lane = this.lanes.get(entry.message.key as string) as Lane
    lane.parked.filter((one) => one !== entry)
    entry.place = 'spent'
    this.parked--
    this.parkedLess(lane)
  }

  *[Symbol.iterator](): Generator<Entry> {
    for (const lane of this.withParked) yield* lane.parked.values()
  }

  private open(key: string): Lane {
    const lane: Lane = { key, owner: undefined, held: 0, parked: new Heap<Entry>(precedes) }
    this.lanes.set(key, lane)
    return lane
  }

  private hold(lane: Lane, entry: Entry, session: Session): void {
    lane.owner = session
    lane.held++
    entry.lane = lane
    if (lane.parked.size > 0) session.lanes.add(lane)
  }

  private park(lane: Lane, entry: Entry): void {
    entry.place = 'parked'
    lane.parked.push(entry)
    this.parked++
    this.withParked.add(lane)
    lane.owner?.lanes.add(lane)
  }

  private unpark(lane: Lane): Entry {
    const entry = lane.parked.pop() as Entry
    this.parked--
    this.parkedLess(lane)
    return entry
  }

  private parkedLess(lane: Lane): void {
    if (lane.parked.size > 0) return
    this.withParked.delete(lane)
    lane.owner?.lanes.delete(lane)
    if (lane.owner === undefined) this.lanes.delete(lane.key)
  }

  private standIn(lane: Lane): void {
    if (lane.parked.size > 0) this.backlog.putBack(this.unpark(lane))
    else this.lanes.delete(lane.key)
  }
}

/** Each in its turn. */
function nextLane(lanes: Set<Lane>): Lane | undefined {
  const [lane] = lanes
  if (lane !== undefined && lanes.size > 1) {
    lanes.delete(lane)
    lanes.add(lane)
  }
  return lane
}
