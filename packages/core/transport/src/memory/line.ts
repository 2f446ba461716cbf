import { Backlog } from './backlog.ts'
import { Entry } from './entry.ts'
import { KeyLanes } from './key-lanes.ts'
import type { BrokerParts } from './parts.ts'
import type { Queue } from './queue.ts'
import type { Session } from './session.ts'
import type { WireMessage } from '../contract/wire-message.ts'

/** Messages of busy keys that are looked at in one turn, so that a million of them do not hold up everything else. */
const maxParkedPerTurn = 10_000

/** A queue, or one shard of it: what it has, and the sessions that share it. */
export class Line {
  readonly queue: Queue
  readonly backlog: Backlog
  readonly lanes: KeyLanes
  readonly sessions: Session[] = []
  /** Waits in the dispatcher. */
  awake = false
  /** Messages that wait for their time. */
  delayed = 0
  private readonly parts: BrokerParts
  /** Whose turn it is. */
  private turn = 0
  /** Whether keys matter: with one session alone all come to it in order anyway. */
  private tracksKeys = false
  private parkedThisTurn = 0

  constructor(queue: Queue, parts: BrokerParts) {
    this.queue = queue
    this.parts = parts
    this.backlog = new Backlog(this, parts.settings.priority)
    this.lanes = new KeyLanes(this.backlog)
  }

  /** Messages that could be handed out now. */
  get ready(): number {
    return this.backlog.size + this.lanes.parked
  }

  get held(): number {
    return this.sessions.reduce((sum, session) => sum + session.held.size, 0)
  }

  join(session: Session): void {
    this.sessions.push(session)
    this.trackKeys()
    this.wake()
  }

  leave(session: Session): void {
    const index = this.sessions.indexOf(session)
    if (index !== -1) this.sessions.splice(index, 1)
    this.trackKeys()
    this.wake()
  }

  wake(): void {
    if (this.ready > 0 && this.sessions.length > 0) this.parts.dispatcher.wake(this)
  }

  /** When the oldest ready message was made; epoch milliseconds. */
  oldestTime(): number | undefined {
    let oldest = this.backlog.oldestTime()
    for (const entry of this.lanes)
      if (oldest === undefined || entry.message.time < oldest) oldest = entry.message.time
    return oldest
  }

  /** A message's time has come. */
  due(item: WireMessage | Entry): void {
    if (item instanceof Entry) this.backlog.putBack(item)
    else this.backlog.push(item)
    this.wake()
  }

  /** Gives to the sessions in turns, as far as their windows and the messages go. */
  handOut(now: number): void {
    if (this.parts.faults.stalled.has(this.queue.name)) return
    const { sessions } = this
    this.mixUp()
    this.parkedThisTurn = 0
    let refused = 0
    let at = this.turn < sessions.length ? this.turn : 0
    while (refused < sessions.length) {
      const session = sessions[at] as Session
      at = at + 1 === sessions.length ? 0 : at + 1
      const entry = session.free > 0 ? this.next(session) : undefined
      if (entry === undefined) {
        refused++
        continue
      }
      refused = 0
      session.take(entry, now)
      this.turn = at
    }
    if (this.parkedThisTurn >= maxParkedPerTurn) this.wake()
    if (sessions.length === 1) return sessions[0]?.deliver()
    for (const session of sessions.slice()) session.deliver()
  }

  /** Removes an entry that is ready. */
  discard(entry: Entry): void {
    if (entry.place === 'parked') return this.lanes.discard(entry)
    this.backlog.discard(entry)
    this.lanes.passedBy(entry)
  }

  /** Takes the first message for a program that neither shares nor settles. */
  takeAway(): Entry | undefined {
    for (;;) {
      const entry = this.backlog.take() ?? this.lanes.takeAny()
      if (entry === undefined) return undefined
      this.drop(entry)
      if (this.queue.refuses?.(entry.message) !== true) return entry
    }
  }

  private next(session: Session): Entry | undefined {
    const { backlog, lanes, queue } = this
    const keyed = this.tracksKeys && session.consumer.request.order === 'key'
    while (this.parkedThisTurn < maxParkedPerTurn) {
      if (keyed && session.lanes.size > 0) {
        const own = lanes.takeOwn(session)
        if (own !== undefined) return own
      }
      const entry = backlog.take() ?? (keyed ? undefined : lanes.takeAny())
      if (entry === undefined) return undefined
      if (queue.refuses !== undefined && queue.refuses(entry.message)) {
        this.drop(entry)
        continue
      }
      if (!keyed) {
        lanes.passedBy(entry)
        return entry
      }
      const given = lanes.admit(entry, session)
      if (given !== undefined) return given
      this.parkedThisTurn++
    }
    return undefined
  }

  private drop(entry: Entry): void {
    entry.place = 'spent'
    this.lanes.passedBy(entry)
    this.queue.removed(entry)
  }

  /** From the second session on, who holds which key is known; as soon as nothing depends on it, it is forgotten. */
  private trackKeys(): void {
    if (!this.tracksKeys && this.sessions.length > 1) {
      this.tracksKeys = true
      for (const session of this.sessions) {
        if (session.consumer.request.order === 'key')
          for (const entry of session.held) this.lanes.adopt(entry, session)
      }
    } else if (this.sessions.length === 0 && this.lanes.size === 0) this.tracksKeys = false
  }

  private mixUp(): void {
    const { faults, clock } = this.parts
    if (faults.reorder === 0 || this.backlog.size < 2) return
    const count = Math.min(faults.reorder, this.backlog.size)
    faults.reorder -= count
    this.backlog.shuffle(count, () => clock.random())
  }
}
