import fc from 'fast-check'
import { expect, test } from 'vitest'
import { connectionLost, type PublishCall } from '../../test/fake-driver.ts'
import { bills, events, idsOf, orders, PublisherBench, type Sent } from '../../test/publisher-bench.ts'
import type { PublishOutcome } from '../contract/driver.ts'
import { PosthornError } from '../errors.ts'

const answers = {
  confirmed: 'confirmed',
  rejected: new PosthornError('POSTHORN_QUEUE_FULL', 'It is full.', { outcome: 'rejected' }),
  unroutable: new PosthornError('POSTHORN_UNROUTABLE', 'No queue.', { outcome: 'rejected' }),
  unknown: new PosthornError('POSTHORN_TIMEOUT', 'No confirm.', { outcome: 'unknown' }),
  vague: new PosthornError('POSTHORN_BROKER_ERROR', 'Hm.'),
} as const satisfies Record<string, PublishOutcome>
type AnswerName = keyof typeof answers

const limits = fc.record({
  maxInFlight: fc.integer({ min: 1, max: 6 }),
  maxInFlightBytes: fc.integer({ min: 1, max: 60 }),
  whenFull: fc.constantFrom('wait' as const, 'wait' as const, 'reject' as const),
})

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      to: fc.nat({ max: 2 }),
      bytes: fc.nat({ max: 30 }),
      timeoutMs: fc.constantFrom(20, 300, 5_000),
      abortable: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('answer' as const),
      pick: fc.nat(),
      with: fc.array(fc.constantFrom(...(Object.keys(answers) as AnswerName[])), {
        minLength: 1,
        maxLength: 5,
      }),
      how: fc.constantFrom('all' as const, 'short' as const, 'reject' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('lose' as const, 'connect' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 400 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('abort' as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('undeclare' as const), to: fc.nat({ max: 2 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('declare' as const),
      to: fc.nat({ max: 2 }),
      how: fc.constantFrom('done' as const, 'busy' as const, 'denied' as const),
    }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer Type> ? Type : never

const destinations = [orders, bills, events] as const

/** What the driver was given, and what it has said of each message. */
class Model {
  readonly bench: PublisherBench
  private readonly aborts = new Map<string, AbortController>()
  private readonly declaring = new Map<string, { resolve(): void; reject(error: unknown): void }[]>()
  private readonly undeclared = new Set<string>()
  /** Calls without an answer, of the connection of now and of those before. */
  private readonly open: PublishCall[] = []
  private readonly lost = new Set<PublishCall>()
  private readonly latest = new Map<string, PublishCall>()
  readonly writes = new Map<string, number>()
  readonly said = new Map<string, 'confirmed' | 'rejected' | 'vague'>()
  readonly firstWrites: string[] = []
  private seen = 0

  constructor(given: ConstructorParameters<typeof PublisherBench>[0]) {
    this.bench = new PublisherBench(given)
    this.bench.forget = () => true
    this.bench.ensure = ({ name }) => {
      if (!this.undeclared.has(name)) return undefined
      return new Promise((resolve, reject) => {
        this.declaring.set(name, [...(this.declaring.get(name) ?? []), { resolve, reject }])
      })
    }
  }

  async run(action: Step): Promise<void> {
    switch (action.do) {
      case 'send': {
        const abort = new AbortController()
        const { bytes, timeoutMs } = action
        const sent = this.bench.send(destinations[action.to]!, {
          bytes,
          timeoutMs,
          ...(action.abortable ? { signal: abort.signal } : {}),
        })
        this.aborts.set(sent.id, abort)
        break
      }
      case 'turn':
        await this.bench.turn()
        break
      case 'answer': {
        const [call] = this.open.splice(action.pick % Math.max(1, this.open.length), 1)
        if (call !== undefined) this.answer(call, action.how, action.with)
        await this.bench.turn()
        break
      }
      case 'lose':
        if (this.bench.connection !== undefined) {
          this.note()
          for (const call of this.open) this.lost.add(call)
          this.bench.lose(connectionLost())
        }
        break
      case 'connect':
        if (this.bench.connection !== undefined) break
        this.seen = 0
        this.bench.connect()
        this.bench.publisher.wake()
        break
      case 'advance':
        await this.bench.clock.advance(action.ms)
        break
      case 'abort':
        this.aborts.get(`m${action.pick % Math.max(1, this.bench.sent.length)}`)?.abort()
        break
      case 'undeclare':
        this.undeclared.add(destinations[action.to]!.name)
        break
      case 'declare':
        this.declare(destinations[action.to]!.name, action.how)
        await this.bench.turn()
        break
    }
    this.note()
    this.check()
  }

  /** Answers for everything, and lets all time pass. */
  async end(): Promise<void> {
    this.undeclared.clear()
    if (this.bench.connection === undefined) {
      this.seen = 0
      this.bench.connect()
      this.bench.publisher.wake()
    }
    for (let round = 0; round < 200; round++) await this.answerAll(0)
    // What waits for its next try to declare is written only now.
    for (let round = 0; round < 20; round++) await this.answerAll(1_000)
  }

  private async answerAll(ms: number): Promise<void> {
    for (const { name } of destinations) this.declare(name, 'done')
    await this.bench.clock.advance(ms)
    this.note()
    for (const call of this.open.splice(0)) this.answer(call, 'all', ['confirmed'])
    await this.bench.turn()
    this.note()
  }

  private declare(name: string, how: 'done' | 'busy' | 'denied'): void {
    if (how === 'done') this.undeclared.delete(name)
    const waiting = this.declaring.get(name) ?? []
    this.declaring.delete(name)
    for (const one of waiting) {
      if (how === 'done') one.resolve()
      else one.reject(new PosthornError('POSTHORN_BROKER_ERROR', how, { retryable: how === 'busy' }))
    }
  }

  private answer(call: PublishCall, how: 'all' | 'short' | 'reject', names: readonly AnswerName[]): void {
    if (how === 'reject') {
      for (const id of idsOf(call)) this.say(id, call, 'vague')
      return call.reject(answers.rejected)
    }
    const outcomes: PublishOutcome[] = []
    for (const [index, id] of idsOf(call).entries()) {
      const name = names[index % names.length]!
      const isLeftOut = how === 'short' && index === call.batch.length - 1
      if (!isLeftOut) outcomes.push(answers[name])
      const isRejected = name === 'rejected' || name === 'unroutable'
      this.say(
        id,
        call,
        isLeftOut ? 'vague' : name === 'confirmed' ? name : isRejected ? 'rejected' : 'vague',
      )
    }
    call.answer(outcomes)
  }

  private say(id: string, call: PublishCall, what: 'confirmed' | 'rejected' | 'vague'): void {
    if (this.latest.get(id) === call) this.said.set(id, what)
  }

  /** Takes down what the driver has been given since. */
  private note(): void {
    for (const call of this.bench.calls.slice(this.seen)) {
      this.open.push(call)
      for (const id of idsOf(call)) {
        if (!this.writes.has(id)) this.firstWrites.push(id)
        this.writes.set(id, (this.writes.get(id) ?? 0) + 1)
        this.said.delete(id)
        this.latest.set(id, call)
      }
    }
    this.seen = this.bench.calls.length
  }

  private check(): void {
    for (const { answers: times } of this.bench.sent) expect(times).toBeLessThanOrEqual(1)
  }

  /** What the connection of now holds without an answer. */
  get held(): readonly PublishCall[] {
    return this.open.filter((call) => !this.lost.has(call))
  }
}

/** What a caller was told must be true. */
function judge(sent: Sent, model: Model): void {
  const writes = model.writes.get(sent.id) ?? 0
  const said = model.said.get(sent.id)
  expect(sent.answers).toBe(1)
  // Once more only after a refusal that is certain.
  expect(writes).toBeLessThanOrEqual(2)
  if (sent.outcome === 'confirmed') expect(said).toBe('confirmed')
  else if (sent.outcome?.outcome === 'rejected') expect(writes === 0 || said === 'rejected').toBe(true)
  else expect(writes).toBeGreaterThan(0)
}

test('every send is answered once and truly, the bounds hold, and each destination gets its messages in their order', async () => {
  await fc.assert(
    fc.asyncProperty(limits, fc.array(step, { maxLength: 60 }), async (given, program) => {
      const model = new Model(given)
      for (const action of program) {
        await model.run(action)
        const messages = model.held.flatMap(({ batch }) => batch)
        const bytes = messages.reduce((sum, { body }) => sum + body.length, 0)
        expect(messages.length).toBeLessThanOrEqual(given.maxInFlight)
        if (messages.length > 1) expect(bytes).toBeLessThanOrEqual(given.maxInFlightBytes)
        const most = given.maxInFlight * (given.whenFull === 'wait' ? 2 : 1)
        expect(model.bench.publisher.inFlight).toBeLessThanOrEqual(most)
      }
      await model.end()
      for (const sent of model.bench.sent) judge(sent, model)
      expect(model.bench.publisher.inFlight).toBe(0)
      for (const { name } of destinations) {
        const all = model.bench.sent
          .filter(({ destination }) => destination.name === name)
          .map(({ id }) => id)
        const written = model.firstWrites.filter((id) => all.includes(id))
        expect(written).toEqual(all.filter((id) => written.includes(id)))
      }
      model.bench.publisher.fail(new PosthornError('POSTHORN_CLOSED', 'It is closed.'))
      model.bench.publisher.stop()
      await model.bench.turn()
      expect(model.bench.clock.pending).toBe(0)
    }),
    { numRuns: 60 },
  )
}, 60_000)
