import assert from 'node:assert/strict'
import type { Step } from './program.ts'

/** What became of a send, as its sender was told. */
export type SendOutcome = 'confirmed' | 'rejected' | 'unknown'

/** One call of a handler, as the model sees it. */
export interface ModelCall {
  readonly process: string
  readonly attempt: number
  readonly startedAt: number
  endedAt: number | undefined
  answer: Step['answer'] | undefined
  /** When it may come again, if its settlement arrived. Epoch milliseconds. */
  notBefore: number
  /** Whether its settlement surely reached the broker: no fault came between. */
  sure: boolean
}

/** One message at one source: everything that was done with it. */
export interface Entry {
  readonly id: string
  readonly source: string
  readonly sequence: number
  readonly key: string | undefined
  readonly script: readonly Step[]
  readonly expiresAt: number | undefined
  /** Not to be handed out before; epoch milliseconds. */
  readonly notBefore: number
  readonly calls: ModelCall[]
  outcome: SendOutcome | undefined
  /** Whoever held it does not know yet that it is no longer theirs, and may go on with it. */
  loose: boolean
  /** The event `expired` was seen. */
  expired: boolean
  /** The event `deadLettered` was seen: by an answer, or since something else had spent the attempts. */
  buried: boolean
}

export interface LedgerRules {
  readonly maxAttempts: number
  readonly holdKey: boolean
  readonly countsFailures: boolean
  /** Whether a delay outlives the consumer that waits for it: the broker has delays, or takes messages back as they are now. */
  readonly keepsDelays: boolean
}

/** A fault, and between when it may be felt. Epoch milliseconds; `undefined` is all of them. */
export interface Disturbance {
  readonly process: string | undefined
  readonly source: string | undefined
  readonly since: number
  until: number
}

const concerns = (disturbance: Disturbance, process: string, source: string): boolean =>
  (disturbance.process ?? process) === process && (disturbance.source ?? source) === source

/** Whether the call's answer ends the message. */
const isFinal = (call: ModelCall, maxAttempts: number): boolean => {
  if (call.endedAt === undefined) return false
  return (
    call.answer === 'ack' || call.answer === 'deadLetter' || (isFailure(call) && call.attempt >= maxAttempts)
  )
}

const isFailure = (call: ModelCall): boolean =>
  call.endedAt !== undefined && (call.answer === 'throw' || call.answer === 'retry')

/** Failures before the call of that index. */
const failures = (entry: Entry, before: number): number =>
  entry.calls.slice(0, before).filter(isFailure).length

const sureFailures = (entry: Entry): number =>
  entry.calls.filter((call) => isFailure(call) && call.sure).length

/**
 * The reference model: what may happen to each message, given what its handlers answered and which faults came between.
 * It knows nothing of the transport.
 */
export class Ledger {
  private readonly entries = new Map<string, Entry>()
  private readonly rules: LedgerRules
  private readonly disturbances: Disturbance[] = []
  private sequence = 0

  constructor(rules: LedgerRules) {
    this.rules = rules
  }

  all(): readonly Entry[] {
    return [...this.entries.values()]
  }

  find(source: string, id: string): Entry {
    const entry = this.entries.get(`${source} ${id}`)
    assert.ok(entry !== undefined, `"${id}" was handed out by "${source}", and never sent there`)
    return entry
  }

  sent(source: string, fields: Pick<Entry, 'id' | 'key' | 'script' | 'expiresAt' | 'notBefore'>): Entry {
    const entry: Entry = {
      ...fields,
      source,
      sequence: this.sequence++,
      calls: [],
      outcome: undefined,
      loose: false,
      expired: false,
      buried: false,
    }
    this.entries.set(`${source} ${entry.id}`, entry)
    return entry
  }

  /** How many handlers have begun. */
  get calls(): number {
    return this.all().reduce((sum, entry) => sum + entry.calls.length, 0)
  }

  /** A handler begins: it must be allowed to. */
  started(entry: Entry, process: string, attempt: number, now: number): ModelCall {
    const { id, source, calls } = entry
    const where = `message ${id} of "${source}", call ${calls.length + 1}, attempt ${attempt}`
    assert.notEqual(entry.outcome, 'rejected', `${where}: it was rejected when it was sent`)
    assert.ok(now >= entry.notBefore, `${where}: ${entry.notBefore - now} ms before its time`)
    assert.ok(entry.expiresAt === undefined || now < entry.expiresAt, `${where}: it has expired`)
    assert.ok(!entry.expired, `${where}: it was told to have expired`)
    const last = calls.at(-1)
    for (const call of calls) {
      assert.ok(
        !(call.sure && isFinal(call, this.rules.maxAttempts)),
        `${where}: it was settled for good before`,
      )
      assert.ok(!(call.sure && call.endedAt === undefined), `${where}: another handler has it`)
    }
    if (last?.sure === true && this.rules.keepsDelays)
      assert.ok(now >= last.notBefore, `${where}: ${last.notBefore - now} ms early`)
    if (this.rules.countsFailures) {
      const [least, most] = [1 + sureFailures(entry), 1 + failures(entry, calls.length)]
      assert.ok(
        attempt >= least && attempt <= most,
        `${where}: the attempt should be from ${least} to ${most}`,
      )
    }
    if (entry.key !== undefined) this.checkOrder(entry, where, now)
    const call: ModelCall = {
      process,
      attempt,
      startedAt: now,
      endedAt: undefined,
      answer: undefined,
      notBefore: 0,
      sure:
        !entry.loose && !this.disturbances.some((one) => now < one.until && concerns(one, process, source)),
    }
    calls.push(call)
    return call
  }

  /** Whatever is held or let go while it lasts may come again as it was. */
  disturb(disturbance: Disturbance): void {
    const { since } = disturbance
    this.disturbances.push(disturbance)
    for (const entry of this.entries.values()) {
      for (const call of entry.calls) {
        if (!concerns(disturbance, call.process, entry.source)) continue
        if (call.endedAt === undefined || call.endedAt >= since) call.sure = false
      }
    }
  }

  /** What the source's holders hold is not theirs any more, and they are not told. */
  loosen(source: string): void {
    for (const entry of this.entries.values()) {
      if (
        entry.source === source &&
        !entry.calls.some((call) => call.sure && isFinal(call, this.rules.maxAttempts))
      )
        entry.loose = true
    }
  }

  /** Whether each message that was taken has been settled for good, as far as its handlers tell, or has expired. */
  haveEnded(now: number): boolean {
    return this.all().every(
      ({ outcome, buried, expiresAt, calls }) =>
        outcome !== 'confirmed' ||
        buried ||
        (expiresAt !== undefined && expiresAt <= now) ||
        calls.some((call) => isFinal(call, this.rules.maxAttempts)),
    )
  }

  /** Everything has ended: each message must be somewhere, and only once. */
  finished(
    now: number,
    deadLetters: (source: string) => ReadonlyMap<string, readonly number[]>,
    left: string,
  ): void {
    for (const entry of this.entries.values()) {
      const { id, source, calls, outcome } = entry
      const where = `message ${id} of "${source}"`
      const finals = calls.filter((call) => isFinal(call, this.rules.maxAttempts))
      const acked = finals.some((call) => call.answer === 'ack')
      const letters = deadLetters(source).get(id) ?? []
      if (outcome === 'rejected' || (outcome === 'unknown' && calls.length === 0 && letters.length === 0))
        continue
      const expired =
        entry.expiresAt !== undefined && entry.expiresAt <= now && !finals.some((call) => call.sure)
      assert.ok(
        acked || letters.length > 0 || expired,
        `${where}: it is lost, after ${calls.length} calls (${left})`,
      )
      const undisturbed = calls.every((call) => call.sure)
      if (!undisturbed) continue
      assert.ok(finals.length <= 1, `${where}: it was settled for good ${finals.length} times`)
      assert.ok(!(acked && letters.length > 0), `${where}: it was acked, and is a dead letter`)
      assert.ok(letters.length <= 1, `${where}: it is ${letters.length} dead letters`)
      if (letters.length === 1 && this.rules.countsFailures) {
        const spent = failures(entry, calls.length - 1) + 1
        assert.deepEqual(letters, [spent], `${where}: attempts in its dead letter`)
      }
    }
  }

  /** The messages of the key before it must have ended, or their time be over. */
  private checkOrder(entry: Entry, where: string, now: number): void {
    // Who lost a lease without knowing still goes on with what it held of the key.
    if (!this.rules.holdKey || entry.loose) return
    for (const earlier of this.entries.values()) {
      if (earlier.source !== entry.source || earlier.key !== entry.key || earlier.sequence >= entry.sequence)
        continue
      if (earlier.outcome === 'rejected' || earlier.expired || earlier.buried || earlier.loose) continue
      if (earlier.expiresAt !== undefined && earlier.expiresAt <= now) continue
      // Hand-outs that nobody saw may have spent what was left of its attempts.
      if (!this.rules.countsFailures && earlier.calls.length > 0) continue
      const ended = earlier.calls.some((call) => isFinal(call, this.rules.maxAttempts))
      const absent = earlier.outcome === 'unknown' && earlier.calls.length === 0
      assert.ok(ended || absent, `${where}: before message ${earlier.id} of its key`)
    }
  }
}
