import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Consumer } from '../contract/consumer.ts'
import type { Context } from '../contract/context.ts'
import type { Message } from '../contract/message.ts'
import type { BatchContext, Middleware, MiddlewareRuntime } from '../contract/middleware.ts'
import { createConsumeBench, createGate } from '../../test/consume-bench.ts'
import { fixed } from './retry-delay.ts'

/** What a handler does on each call for a message; after the last one it ends at once. */
type Step = 'end' | 'fail' | 'slow' | 'slow fail' | 'hang' | 'release' | 'release later'

type Command =
  | {
      readonly do: 'send'
      readonly queue: number
      readonly key: string
      readonly type: string
      readonly steps: readonly Step[]
    }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'cut' }
  | { readonly do: 'failSettlements'; readonly count: number }
  | { readonly do: 'revoke' | 'endConsumers' | 'restart'; readonly queue: number }
  | { readonly do: 'dropLeases'; readonly queue: number; readonly times: number }
  | {
      readonly do: 'pause' | 'resume' | 'pauseType' | 'resumeType' | 'guardPause' | 'guardResume'
      readonly queue: number
    }
  | { readonly do: 'allow'; readonly queue: number; readonly starts: number }
  | { readonly do: 'concurrency'; readonly queue: number; readonly concurrency: number }

const queue = fc.constantFrom(0, 1, 1, 2)
const step = fc.constantFrom<Step>(
  'end',
  'fail',
  'fail',
  'slow',
  'slow fail',
  'hang',
  'release',
  'release later',
)
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('send'),
      queue,
      key: fc.constantFrom('a', 'b'),
      type: fc.constantFrom('plain', 'plain', 'fragile'),
      steps: fc.array(step, { maxLength: 3 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('advance'), ms: fc.constantFrom(0, 1, 50, 800, 6_000, 20_000) }),
  },
  { weight: 1, arbitrary: fc.constant<Command>({ do: 'cut' }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('failSettlements'), count: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('revoke', 'revoke', 'endConsumers', 'restart'), queue }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('dropLeases'), queue, times: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('pause', 'resume', 'pauseType', 'resumeType', 'guardPause', 'guardResume'),
      queue,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('allow'), queue, starts: fc.constantFrom(0, 1, 3, Infinity) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('concurrency'),
      queue,
      concurrency: fc.integer({ min: 1, max: 4 }),
    }),
  },
)

const names = ['plain', 'keyed', 'batch'] as const
const maxAttempts = 4

interface Parts {
  readonly runner: {
    readonly intake: { readonly orphans: Set<unknown>; readonly unsettled: number }
    readonly turns: {
      readonly ready: number
      readonly behind: number
      readonly lanes: { readonly size: number }
    }
    readonly custody: { readonly parking: { readonly size: number } }
  }
}

/** One process with three consumers, in which everything goes wrong for a while. */
async function run(
  commands: readonly Command[],
  options: Parameters<typeof createConsumeBench>[0],
): Promise<void> {
  const { clock, broker, open, close } = createConsumeBench(options)
  const transport = await open({ name: 'one' })
  const consumers: Consumer[] = []
  const runtimes: MiddlewareRuntime[] = []
  const guardPauses = [0, 0, 0]
  const scripts = new Map<string, readonly Step[]>()
  const calls = new Map<string, number>()
  const firstStarts: string[] = []
  const done = new Set<string>()
  const ends = createGate()
  let [time, sent] = [0, 0]
  /** Handlers that run and have neither run out of their time nor been lost, by message. */
  const running = new Map<symbol, Context>()
  const limits = [2, 3, 2]

  const handle = async (
    messages: readonly Message[],
    contexts: readonly Context[],
    index: number,
  ): Promise<unknown[]> => {
    const mine = Symbol(names[index])
    const suspect = contexts.some(({ deliveries, attempt, source }, at) => {
      const { releases } = releasesOf(source, messages[at] as Message)
      return deliveries - releases - (attempt - 1) >= 3
    })
    const others = [...running.values()].filter((context) => !context.signal.aborted)
    if (suspect && index !== 2) expect(others.map(({ source }) => source)).toEqual([])
    running.set(mine, contexts[0] as Context)
    const own = [...running].filter(([one]) => one.description === names[index])
    expect(own.length).toBeLessThanOrEqual(4)
    try {
      return await Promise.all(messages.map((message, at) => answer(message, contexts[at] as Context)))
    } finally {
      running.delete(mine)
    }
  }
  const releasesOf = (source: string, message: Message): { releases: number } => {
    const stored = broker.raw
      .messages(source)
      .find((one) => one.message.id === message.id && one.state === 'inFlight')
    return { releases: stored?.message.releases ?? 0 }
  }
  const answer = async (message: Message, context: Context): Promise<unknown> => {
    const { id } = message
    const call = calls.get(id) ?? 0
    calls.set(id, call + 1)
    if (call === 0) firstStarts.push(id)
    expect(context.attempt).toBeLessThanOrEqual(maxAttempts)
    const step = scripts.get(id)?.[call] ?? 'end'
    if (step.startsWith('slow')) await new Promise<void>((resolve) => void clock.setTimer(resolve, 300))
    if (step === 'hang') await ends.opened
    if (step.endsWith('fail')) throw new Error('no')
    if (step.startsWith('release')) return context.release({ delayMs: step === 'release' ? 0 : 400 })
    if (!context.lease.lost && !context.signal.aborted) done.add(id)
    return undefined
  }
  const guard = (index: number): Middleware => ({
    name: 'guard',
    phase: 'guard',
    wrap: (next, runtime) => {
      runtimes[index] = runtime
      guardPauses[index] = 0
      return next
    },
  })
  const common = { maxAttempts, maxDeliveries: 1_000_000, retryDelay: fixed(700), handlerTimeoutMs: 5_000 }
  const consume = async (index: number): Promise<Consumer> => {
    const name = names[index] as string
    const settings = { ...common, use: [guard(index)], concurrency: limits[index] as number }
    if (index === 2) {
      const handler = (messages: readonly Message[], { contexts }: BatchContext): unknown =>
        handle(messages, contexts, index)
      return transport.consume(name, handler, { ...settings, batch: { max: 3, waitMs: 20 } })
    }
    const handler = async (message: Message, context: Context): Promise<unknown> =>
      (await handle([message], [context], index))[0]
    return transport.consume(name, handler, {
      ...settings,
      prefetch: 8,
      ...(index === 1 ? { order: 'key' as const } : {}),
    })
  }
  for (const index of names.keys()) consumers[index] = await consume(index)

  for (const one of commands) {
    const name = 'queue' in one ? (names[one.queue] as string) : ''
    const consumer = 'queue' in one ? (consumers[one.queue] as Consumer) : undefined
    const runtime = 'queue' in one ? runtimes[one.queue] : undefined
    switch (one.do) {
      case 'send': {
        const id = `${name}-${one.key}-${sent++}`
        scripts.set(id, one.steps)
        void transport.send(name, { data: time++, id, key: one.key, type: one.type }).catch(() => undefined)
        break
      }
      case 'advance':
        await clock.advance(one.ms)
        break
      case 'cut':
        broker.faults.cut('one')
        break
      case 'failSettlements':
        broker.faults.failSettlements(one.count)
        break
      case 'revoke':
      case 'endConsumers':
        broker.faults[one.do](name)
        break
      case 'dropLeases':
        for (let left = one.times; left > 0; left--) {
          broker.faults.dropLeases(name)
          await clock.advance(5)
        }
        break
      case 'restart': {
        // With a handler that may hang, its deadline passes.
        const stopping = consumer?.stop({ deadlineMs: 500 })
        await clock.advance(30_000)
        await stopping
        const consuming = consume(one.queue)
        await clock.advance(30_000)
        consumers[one.queue] = await consuming
        break
      }
      case 'pause':
      case 'resume':
        consumer?.[one.do]()
        break
      case 'pauseType':
        consumer?.pause({ types: ['fragile'] })
        break
      case 'resumeType':
        consumer?.resume({ types: ['fragile'] })
        break
      case 'guardPause':
        guardPauses[one.queue] = (guardPauses[one.queue] as number) + 1
        runtime?.pause(['fragile'])
        break
      case 'guardResume':
        guardPauses[one.queue] = Math.max(0, (guardPauses[one.queue] as number) - 1)
        runtime?.resume(['fragile'])
        break
      case 'allow':
        runtime?.allow(one.starts)
        break
      case 'concurrency':
        limits[one.queue] = one.concurrency
        consumer?.setConcurrency(one.concurrency)
    }
  }

  // Everything is made good again, and then nothing may be left.
  await clock.advance(60_000)
  for (const [index, consumer] of consumers.entries()) {
    consumer.resume()
    for (let left = guardPauses[index] as number; left > 0; left--) runtimes[index]?.resume(['fragile'])
    runtimes[index]?.allow(Infinity)
  }
  ends.open()
  await clock.advance(600_000)
  for (const [index, consumer] of consumers.entries()) {
    const name = names[index] as string
    expect([name, broker.raw.messages(name)]).toEqual([name, []])
    expect(consumer.health()).toEqual({
      source: name,
      state: 'up',
      reason: undefined,
      running: 0,
      abandoned: 0,
      waiting: 0,
    })
    const { intake, turns, custody } = (consumer as unknown as Parts).runner
    expect([
      intake.orphans.size,
      intake.unsettled,
      turns.ready,
      turns.behind,
      turns.lanes.size,
      custody.parking.size,
    ]).toEqual([0, 0, 0, 0, 0, 0])
  }
  const dead = new Set(
    names.flatMap((name) => broker.raw.messages(`${name}.dlq`).map(({ message }) => message.id)),
  )
  for (const id of scripts.keys()) if (!dead.has(id)) expect([id, done.has(id)]).toEqual([id, true])
  for (const key of ['a', 'b']) {
    const order = firstStarts
      .filter((id) => id.startsWith(`keyed-${key}`))
      .map((id) => Number(id.split('-')[2]))
    expect(order).toEqual(order.toSorted((one, other) => one - other))
  }
  await close()
}

test.each([
  [{}],
  [{ lease: { scope: 'session' } }],
  [{ lease: { scope: 'delivery', durationMs: 2_000 } }],
  [{ shards: 2, lease: { scope: 'session', maxHoldMs: 20_000 } }],
  [{ release: 'counted', lease: { scope: 'session' } }],
  [{ delay: false }],
] as Parameters<typeof createConsumeBench>[])(
  'whatever goes wrong in a process, each message ends, each key keeps its order, and nothing is left behind, with %o',
  async (options) => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 40, size: 'max' }), (commands) =>
        run(commands, options),
      ),
      {
        numRuns: Number(process.env['POSTHORN_MODEL_RUNS'] ?? 15),
        endOnFailure: false,
        includeErrorInReport: true,
      },
    )
  },
  600_000,
)
