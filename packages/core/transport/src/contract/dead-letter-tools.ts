import type { DeadLetterRecord } from './dead-letters.ts'
import type { OutgoingMessage } from './message.ts'
import type { MessageHeaders } from './wire-message.ts'

/** One dead letter: the record, and the message as it arrived. */
export interface DeadLetter extends DeadLetterRecord {
  /** Unique among the dead letters of its source; what `replay` and `discard` take. */
  readonly entryId: string
  /** The message's own. */
  readonly id: string
  readonly type: string
  readonly time: number
  /** The original bytes. */
  readonly body: Uint8Array
  readonly contentType: string
  readonly headers: MessageHeaders
  readonly key: string | undefined
  readonly routingKey: string
  readonly correlationId: string | undefined
  readonly causationId: string | undefined
  readonly expiresAt: number | undefined
  readonly replays: number
}

/** What to do with one dead letter in a pass. */
export type DeadLetterChoice = 'keep' | 'replay' | 'discard' | DeadLetterEdit

/** Replay a changed copy: a message of its own, in place of the dead letter. */
export interface DeadLetterEdit {
  /** What is different; fields left out stay as they are. */
  readonly edit: Partial<Omit<OutgoingMessage, 'id' | 'delayMs'>> & {
    /** Another than the dead letter's, which becomes the copy's `causationId` unless one is given. */
    readonly id: string
  }
}

export interface PassOptions {
  /**
   * Entries that are read, decided on and carried out together. 1 to 100. Default 100: a decision may wait for that of 99
   * others.
   */
  readonly atATime?: number
  /** Ends the pass after the entry at hand; the rest is kept. */
  readonly signal?: AbortSignal
}

export interface PassReport {
  readonly kept: number
  readonly replayed: number
  readonly discarded: number
  /** Entries whose decision could not be carried out, and replays of what has expired; they are kept. */
  readonly failed: number
}

export interface DeadLetterPage {
  readonly entries: readonly DeadLetter[]
  /** For the next page; `undefined` at the end. */
  readonly cursor: string | undefined
}

/** The dead letters of one source. Brokers offer no random access, so all work on them is one exclusive pass at a time. */
export interface DeadLetters {
  count(): Promise<number>
  page(options?: { readonly limit?: number; readonly cursor?: string }): Promise<DeadLetterPage>
  /**
   * Decides on each entry that is there now, oldest first. Replaying gives a message back to this source only, with its
   * id, or the edited copy's, and a fresh budget of attempts. Rejects with `POSTHORN_DEAD_LETTERS_BUSY` while another pass is open.
   */
  pass(
    decide: (entry: DeadLetter) => DeadLetterChoice | Promise<DeadLetterChoice>,
    options?: PassOptions,
  ): Promise<PassReport>
  replay(entryIds: 'all' | readonly string[], options?: PassOptions): Promise<PassReport>
  discard(entryIds: 'all' | readonly string[], options?: PassOptions): Promise<PassReport>
}
