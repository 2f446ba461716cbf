import type { DeadLetter, DeadLetterPage, PassReport } from '@posthorn/transport'
import type { DeadLetterFilter } from './dead-letter-filter.ts'
import type { DeadLetterView } from './dead-letter-view.ts'
import type { EditDeadLetter } from './edit-dead-letter.ts'
import type { DeadLetterGroups } from './group-dead-letters.ts'

/**
 * Work on the dead letters of one source. Brokers offer no random access, so each call walks them in order, oldest first, up
 * to the newest that is there when it begins: what is replayed and fails again is not met a second time. One walk at a
 * time, over all processes; while there is another, a call rejects with `POSTHORN_DEAD_LETTERS_BUSY`.
 */
export interface DeadLetterTools {
  /** The queue, or `<topic>/<group>`. */
  readonly source: string
  count(filter?: DeadLetterFilter): Promise<number>
  /** The next `limit` that fit. Looks at 10,000 at most, so a page may hold fewer, or none, and have a cursor all the same. */
  list(options?: ListOptions): Promise<DeadLetterPage>
  /** How many failed in which way, by reason, error and handler. */
  groups(filter?: DeadLetterFilter): Promise<DeadLetterGroups>
  /** One, whole, with its body read; `undefined` when it is not there. */
  show(entryId: string): Promise<DeadLetterView | undefined>
  /** Gives those that fit back to this source only, oldest first. `'all'` has to be said; a filter without fields is refused. */
  replay(filter: 'all' | DeadLetterFilter, options?: ReplayOptions): Promise<DeadLetterReport>
  /** Removes those that fit, for good. */
  discard(filter: 'all' | DeadLetterFilter, options?: WalkOptions): Promise<DeadLetterReport>
}

export interface ListOptions {
  readonly filter?: DeadLetterFilter
  /** 1 to 1,000. Default 50. */
  readonly limit?: number
  /** Of the page before. */
  readonly cursor?: string
}

export interface WalkOptions {
  /** Changes nothing, and says what would fit. Default false. */
  readonly dryRun?: boolean
  /** So many at most, oldest first. Whole number from 1. Default: no bound. */
  readonly limit?: number
  /** Called with each that fits, before anything is done about it. What it throws ends the walk. */
  readonly onEntry?: (entry: DeadLetter) => void
  /** Ends the walk; what has not been decided is kept. */
  readonly signal?: AbortSignal
}

export interface ReplayOptions extends WalkOptions {
  /** From 0.1. Evenly, so that a source that has just recovered is not flooded. Default: as fast as the broker takes them. */
  readonly perSecond?: number
  /** Replays changed copies, each a message of its own that names the old one as its `causationId`. */
  readonly edit?: EditDeadLetter
}

export interface DeadLetterReport extends PassReport {
  /** How many fit the filter; those beyond `limit` are not looked at. */
  readonly matched: number
}
