import assert from 'node:assert/strict'
import { createGate, type Gate } from './gate.ts'
import { logEvents, type EventLog } from './event-log.ts'
import { Recorder, type Call } from './recorder.ts'
import { createTime, type Time } from './time.ts'
import { bindFaults, offeredFaults, type BoundFaults } from './bind-faults.ts'
import { watchLacking } from './watch-lacking.ts'
import { NotShown } from '../behaviour.ts'
import type {
  FaultName,
  Faults,
  ForeignMessage,
  OpenOptions,
  TransportHarness,
  TransportUnderTest,
} from '../harness.ts'
import type { Capabilities, Clock, Feature, SourceRef, Transport } from '@posthorn/transport'

/** How long to wait on the clock at hand. Milliseconds. */
export interface Patience {
  readonly patienceMs: number
  readonly quietMs: number
}

/** What a behaviour works with: a broker, its processes, faults, and time. */
export interface Bench {
  readonly clock: Clock
  readonly virtual: boolean
  readonly faults: BoundFaults
  /** Of the broker under test. Known once something was opened. */
  readonly capabilities: Capabilities
  /** Faults that the harness has. */
  readonly offered: ReadonlySet<FaultName>
  /** Whether the broker declares a feature, native or emulated. */
  has(feature: Feature): boolean
  /**
   * Whether consumers share a source message by message; otherwise it is split, and each part belongs to one consumer at a
   * time, whatever that one is doing.
   */
  readonly sharesMessages: boolean
  /** Whether an attempt is a failure and nothing else; where not, crashes and releases spend attempts, too. */
  readonly countsFailures: boolean
  /** Fails unless the attempts are these; where crashes and releases spend them, they may be higher. */
  checkAttempts(calls: readonly Call[], expected: readonly number[]): void
  /** Fails unless each call is a first attempt, or no attempt was spent by a failure. */
  checkUnspent(calls: readonly Call[]): void
  /** Opens a transport, a process of its own; closed at the end. */
  open(options?: OpenOptions): Promise<Transport>
  /** Runs something on a bench of its own, with another broker or at least other names, and takes it apart. */
  fresh(run: (bench: Bench) => Promise<void>): Promise<void>
  /** A name that no other test has. */
  name(base: string): string
  /** Declares a queue for consumers with order by key, which some brokers must know when it is made. */
  declareKeyed(transport: Transport, queue: string): Promise<void>
  put(queue: string, message: Partial<ForeignMessage> & { readonly json?: unknown }): Promise<void>
  record(): Recorder
  events(transport: Transport): EventLog
  /** A gate that is opened at the end at the latest, so that no handler outlives its test. */
  gate(): Gate
  /** Work that is awaited later: should the test fail before, its own failure is not one more. */
  later<Value>(work: Promise<Value>): Promise<Value>
  now(): number
  advance(ms: number): Promise<void>
  until(what: string, condition: () => boolean | Promise<boolean>, withinMs?: number): Promise<void>
  /** Waits for so long that whatever could still happen has happened. */
  quiet(): Promise<void>
  /** Resolves after `ms`, for handlers that take their time. */
  pause(ms: number): Promise<void>
  /** Waits until the source has a message that is delayed, where the broker can delay one and say so. */
  delayed(transport: Transport, source: SourceRef): Promise<void>
  /** Waits until the source has so many dead letters. */
  deadLetters(transport: Transport, source: SourceRef, count: number): Promise<void>
  /** The longest that a test may wait for one thing. Milliseconds. */
  readonly patienceMs: number
  /** Ends the behaviour as not shown when it would have to wait for longer than can be asked of this clock. */
  affords(ms: number, why: string): void
  /** What a real clock's machine may add to any wait; 0 on a virtual one. Milliseconds. */
  readonly slackMs: number
  /** How late something of the feature may be that is delayed by `delayMs`. Milliseconds. */
  lateness(feature: Feature, delayMs: number): number
}

const virtualPatience: Patience = { patienceMs: 600_000, quietMs: 180_000 }
const realPatience: Patience = { patienceMs: 15_000, quietMs: 1_500 }
const realSlackMs = 2_000
const closeDeadlineMs = 1_000
/** How many consumers can share the keys of a queue, on brokers that need to know. */
const keyShards = 4

/** A bench on one harness, and how to take it apart. */
interface OpenBench {
  readonly bench: Bench
  readonly time: Time
  /** Throws when something happened that the harness says cannot happen. */
  check(): void
  close(): Promise<void>
}

function createBench<Harness extends TransportHarness>(
  harness: Harness,
  subject: Pick<TransportUnderTest<Harness>, 'create' | 'faults' | 'patienceMs' | 'quietMs'>,
): OpenBench {
  const { clock } = harness
  const time = createTime(clock)
  const defaults = time.virtual ? virtualPatience : realPatience
  const patienceMs = subject.patienceMs ?? defaults.patienceMs
  const quietMs = subject.quietMs ?? defaults.quietMs
  const slackMs = time.virtual ? 0 : realSlackMs
  const faults = subject.faults ?? {}
  const lacking = watchLacking(faults as Faults)
  const run = Math.floor(clock.random() * 36 ** 5).toString(36)
  const transports: Transport[] = []
  const gates: Gate[] = []
  let names = 0
  let capabilities: Capabilities | undefined

  const known = (): Capabilities => {
    if (capabilities === undefined)
      throw new Error('The capabilities are known once a transport has been opened.')
    return capabilities
  }

  const bench: Bench = {
    clock,
    virtual: time.virtual,
    faults: bindFaults(harness, faults),
    offered: offeredFaults(faults),
    get capabilities() {
      return known()
    },
    has: (feature) => known().features[feature].level !== 'unsupported',
    get sharesMessages() {
      return known().features.keyOrder.limits?.['shards'] === undefined
    },
    get countsFailures() {
      return known().features.attemptCount.level === 'native'
    },
    checkAttempts(calls, expected) {
      const attempts = calls.map((call) => call.attempt)
      if (bench.countsFailures) return assert.deepEqual(attempts, expected)
      const enough = attempts.every((attempt, index) => attempt >= (expected[index] ?? 0))
      const told = `the attempts are ${attempts.join(', ')}, and should be ${expected.join(', ')} or higher`
      assert.ok(attempts.length === expected.length && enough, told)
    },
    checkUnspent(calls) {
      bench.checkAttempts(
        calls,
        calls.map(() => 1),
      )
    },
    async open(options) {
      const transport = await harness.open(options)
      transports.push(transport)
      lacking.watch(transport)
      capabilities ??= transport.capabilities
      return transport
    },
    fresh: (run) => time.elsewhere(() => runOnBench(subject, run)),
    name: (base) => `${base}-${run}-${(names++).toString(36)}`,
    declareKeyed: (transport, queue) =>
      transport.declare({ queues: [{ name: queue, order: 'key', shards: keyShards }] }),
    async put(queue, { json, body = Buffer.from(JSON.stringify(json)), headers = {} }) {
      await harness.raw.put(queue, { body, headers })
    },
    record: () => new Recorder(clock),
    events: logEvents,
    gate() {
      const gate = createGate()
      gates.push(gate)
      return gate
    },
    later(work) {
      work.catch(() => undefined)
      return work
    },
    now: () => clock.now(),
    advance: (ms) => time.advance(ms),
    until: (what, condition, withinMs = patienceMs) => time.until(what, condition, withinMs),
    quiet: () => time.advance(quietMs),
    pause: (ms) =>
      new Promise((resolve) => {
        clock.setTimer(resolve, ms)
      }),
    async delayed(transport, source) {
      if (!bench.has('delayedRetry')) return
      await bench.until('it is delayed', async () => (await transport.depth(source)).delayed !== 0)
    },
    async deadLetters(transport, source, count) {
      const letters = transport.deadLetters(source)
      let found = 0
      const arrived = async (): Promise<boolean> => (found = await letters.count()) >= count
      await time.until(`${count} dead letters`, arrived, patienceMs)
      if (found !== count) throw new Error(`There are ${found} dead letters, not ${count}.`)
    },
    patienceMs,
    affords(ms, why) {
      if (!time.virtual && ms > patienceMs) {
        throw new NotShown(
          `${why} takes ${ms} ms, and on this clock a test waits for ${patienceMs} ms at most`,
        )
      }
    },
    slackMs,
    lateness(feature, delayMs) {
      const { latenessMs = 0, latenessShare = 0 } = known().features[feature].limits ?? {}
      return latenessMs + latenessShare * delayMs + slackMs
    },
  }

  async function close(): Promise<void> {
    for (const gate of gates) gate.open()
    const closing = Promise.allSettled(
      transports.map((transport) => transport.close({ deadlineMs: closeDeadlineMs })),
    )
    // What is broken on purpose may not close; the harness ends it.
    await time.drive(closing).catch(() => undefined)
    await time.drive(harness.close())
  }

  return { bench, time, check: () => lacking.check(), close }
}

/** Runs something on a bench of its own, and takes it apart whatever happens. */
export async function runOnBench<Harness extends TransportHarness, Value>(
  subject: Pick<TransportUnderTest<Harness>, 'create' | 'faults' | 'patienceMs' | 'quietMs'>,
  run: (bench: Bench) => Promise<Value>,
): Promise<Value> {
  const opened = createBench(await subject.create(), subject)
  try {
    const value = await opened.time.drive(run(opened.bench))
    opened.check()
    return value
  } finally {
    await opened.close()
  }
}
