import * as fc from 'fast-check'
import type { FaultName } from '../harness.ts'

/** What a handler does on one call for one message. */
export interface Step {
  readonly answer: 'ack' | 'throw' | 'retry' | 'release' | 'deadLetter'
  /** Milliseconds until it answers; 0 is at once, without a promise. */
  readonly takesMs: number
  /** Of a retry or release. Milliseconds. */
  readonly delayMs: number
}

export type Command =
  | {
      readonly do: 'send'
      readonly key: number | undefined
      /** By call; after the last one it acks. */
      readonly script: readonly Step[]
      readonly expiresInMs: number | undefined
      readonly delayMs: number | undefined
    }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'start' }
  | { readonly do: 'stop' | 'kill' | 'cut' | 'pause' | 'resume'; readonly process: number }
  | { readonly do: 'concurrency'; readonly process: number; readonly concurrency: number }
  | { readonly do: 'dropLeases' | 'revoke' | 'endConsumers'; readonly source: number }
  | {
      readonly do: 'loseConfirmations' | 'rejectPublishes' | 'failSettlements' | 'failDeadLetters'
      readonly count: number
    }

export type Program = readonly Command[]

/** What kind of programs to make. */
export interface ProgramOptions {
  readonly keyed: boolean
  readonly expires: boolean
  readonly delays: boolean
  readonly faults: ReadonlySet<FaultName>
  /** Of one step in time. Milliseconds. */
  readonly longestStepMs: number
}

const step: fc.Arbitrary<Step> = fc.record({
  answer: fc.constantFrom('ack', 'throw', 'throw', 'retry', 'release', 'deadLetter'),
  takesMs: fc.constantFrom(0, 0, 10, 300, 2_500),
  delayMs: fc.constantFrom(0, 500, 3_000),
})

/** Programs of up to `maxLength` commands, mostly sends and time, with faults among them. */
export function programs(options: ProgramOptions, maxLength: number): fc.Arbitrary<Program> {
  const { keyed, expires, delays, faults, longestStepMs } = options
  const index = fc.nat({ max: 2 })
  const send: fc.Arbitrary<Command> = fc.record({
    do: fc.constant('send'),
    key: keyed ? fc.option(index, { nil: undefined, freq: 8 }) : fc.constant(undefined),
    script: fc.array(step, { maxLength: 5 }),
    expiresInMs: expires
      ? fc.option(fc.constantFrom(1, 700, 4_000, 20_000), { nil: undefined, freq: 2 })
      : fc.constant(undefined),
    // A delayed message has no place in the order of its key.
    delayMs:
      delays && !keyed
        ? fc.option(fc.constantFrom(1, 800, 5_000), { nil: undefined, freq: 2 })
        : fc.constant(undefined),
  })
  const advance: fc.Arbitrary<Command> = fc.record({
    do: fc.constant('advance'),
    ms: fc.constantFrom(...[0, 1, 20, 400, 1_500, 6_000, 20_000].filter((ms) => ms <= longestStepMs)),
  })
  const process = (name: 'stop' | 'kill' | 'cut' | 'pause' | 'resume'): fc.Arbitrary<Command> =>
    fc.record({ do: fc.constant(name), process: index })
  const onSource = (name: 'dropLeases' | 'revoke' | 'endConsumers'): fc.Arbitrary<Command> =>
    fc.record({ do: fc.constant(name), source: index })
  const counted = (
    name: 'loseConfirmations' | 'rejectPublishes' | 'failSettlements' | 'failDeadLetters',
  ): fc.Arbitrary<Command> => fc.record({ do: fc.constant(name), count: fc.integer({ min: 1, max: 3 }) })
  const offered = (name: FaultName, arbitrary: fc.Arbitrary<Command>): fc.WeightedArbitrary<Command>[] =>
    faults.has(name) ? [{ weight: 1, arbitrary }] : []

  return fc.array(
    fc.oneof(
      { weight: 12, arbitrary: send },
      { weight: 8, arbitrary: advance },
      { weight: 2, arbitrary: fc.constant<Command>({ do: 'start' }) },
      { weight: 1, arbitrary: process('stop') },
      { weight: 1, arbitrary: process('pause') },
      { weight: 1, arbitrary: process('resume') },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constant('concurrency'),
          process: index,
          concurrency: fc.integer({ min: 1, max: 5 }),
        }),
      },
      ...offered('kill', process('kill')),
      ...offered('cut', process('cut')),
      ...offered('dropLeases', onSource('dropLeases')),
      ...offered('revoke', onSource('revoke')),
      ...offered('endConsumers', onSource('endConsumers')),
      ...offered('loseConfirmations', counted('loseConfirmations')),
      ...offered('rejectPublishes', counted('rejectPublishes')),
      ...offered('failSettlements', counted('failSettlements')),
      ...offered('failDeadLetters', counted('failDeadLetters')),
    ),
    { minLength: 1, maxLength },
  )
}
