import type { Clock } from '../contract/clock.ts'
import type { Destination, PublishOutcome } from '../contract/driver.ts'
import type { OutgoingMessage, SendOptions } from '../contract/message.ts'
import type { HandlerOutput, PublishBatch, PublishMiddleware } from '../contract/middleware.ts'
import type { WireMessage } from '../contract/wire-message.ts'
import { isPosthornError, PartialPublishError, PosthornError, toPosthornError } from '../errors.ts'
import { deriveId } from '../message/create-id.ts'
import type { PrepareMessage } from '../message/prepare-message.ts'
import { checkOptions } from '../options/check-options.ts'
import { showValue } from '../options/show-value.ts'
import { sendRules } from '../options/transport-rules.ts'
import { checkName, inboxPrefix } from '../routing/names.ts'
import { BatchCaller, SingleCaller } from './pending.ts'
import { tooLate } from './publish-errors.ts'
import type { Publisher } from './publisher.ts'
import type { InFlightLimits } from './in-flight-bound.ts'

export interface SenderOptions {
  readonly clock: Clock
  readonly prepare: PrepareMessage
  readonly publisher: Publisher
  readonly sendTimeoutMs: number
  readonly limits: Pick<InFlightLimits, 'maxInFlight' | 'maxInFlightBytes'>
  readonly middleware: readonly PublishMiddleware[]
  /** How many queues of the broker make up a queue. */
  readonly shardsOf: (queue: string) => number
  /** Throws when nothing can be sent any more. */
  readonly refuse: () => void
}

const maxKnownDestinations = 10_000

/** The way of a message from a call to the publisher: middleware, checks, encoding. */
export class Sender {
  private readonly options: SenderOptions
  private readonly destinations = {
    send: new Map<string, Destination>(),
    publish: new Map<string, Destination>(),
  }
  /** With middleware only: its outermost stage. */
  private readonly chain: ((batch: PublishBatch) => Promise<void>) | undefined

  constructor(options: SenderOptions) {
    this.options = options
    if (options.middleware.length === 0) return
    const sorted = options.middleware.toSorted(
      (a, b) => Number(a.phase === 'guard') - Number(b.phase === 'guard'),
    )
    let next = (batch: PublishBatch): Promise<void> => this.write(batch)
    for (const one of sorted.toReversed()) next = one.wrap(next, options.clock)
    this.chain = next
  }

  one(
    kind: 'send' | 'publish',
    name: string,
    message: OutgoingMessage,
    options: SendOptions | undefined,
  ): Promise<void> {
    if (this.chain === undefined) return this.writeOne(kind, name, message, options)
    return this.throughChain({ kind, destination: name, messages: [message], options })
  }

  async many(
    kind: 'send' | 'publish',
    name: string,
    messages: readonly OutgoingMessage[],
    options: SendOptions | undefined,
  ): Promise<void> {
    if (!Array.isArray(messages)) {
      const text = `${kind}Many(${showValue(name)}) takes an array of messages, and got ${showValue(messages)}.`
      throw new PosthornError('POSTHORN_INVALID_OPTION', text, { phase: 'options', outcome: 'rejected' })
    }
    this.check(`${kind}Many`, kind, name, options)
    const batch = { kind, destination: name, messages, options }
    if (this.chain === undefined) return this.writeMany(batch)
    try {
      await this.chain(batch)
    } catch (error) {
      throw forEach(batch, error)
    }
  }

  /** What a handler sends: caused by its message and, where that has an identity, with an id that repeats with it. */
  output(cause: WireMessage, source: string, ordinal: number, output: HandlerOutput): Promise<void> {
    const { kind, destination, message, options } = output
    // What is no message at all is refused like any other.
    if (typeof message !== 'object' || message === null) return this.one(kind, destination, message, options)
    const given: Partial<OutgoingMessage> = message
    const id = given.id ?? (cause.idMadeUp ? undefined : deriveId(cause.id, source, destination, ordinal))
    const correlationId = given.correlationId ?? cause.correlationId
    const caused = {
      ...message,
      ...(id === undefined ? {} : { id }),
      ...(correlationId === undefined ? {} : { correlationId }),
      causationId: given.causationId ?? cause.id,
    }
    return this.one(kind, destination, caused, options)
  }

  private async throughChain(batch: PublishBatch): Promise<void> {
    await (this.chain ?? ((last: PublishBatch) => this.write(last)))(batch)
  }

  /** The innermost stage. */
  private write(batch: PublishBatch): Promise<void> {
    const { kind, destination, messages, options } = batch
    // Also what is no message at all, which is refused as it would be without middleware.
    if (messages.length === 1)
      return this.writeOne(kind, destination, messages[0] as OutgoingMessage, options)
    return this.writeMany(batch)
  }

  private async writeMany({ kind, destination: name, messages, options }: PublishBatch): Promise<void> {
    const destination = this.check(`${kind}Many`, kind, name, options)
    const deadline = this.options.clock.now() + (options?.timeoutMs ?? this.options.sendTimeoutMs)
    const outcomes: PublishOutcome[] = []
    // Piece by piece, so that a batch of any size fits into what may be in flight.
    while (outcomes.length < messages.length) {
      const rest = outcomes.length === 0 ? messages : messages.slice(outcomes.length)
      outcomes.push(...(await this.writePiece(destination, rest, deadline, options?.signal)))
    }
    if (outcomes.some((outcome) => outcome !== 'confirmed')) throw new PartialPublishError(name, outcomes)
  }

  /** Sends as much of the beginning as half of the bounds takes; answers the outcomes of that. */
  private writePiece(
    destination: Destination,
    messages: readonly OutgoingMessage[],
    deadline: number,
    signal: AbortSignal | undefined,
  ): Promise<readonly PublishOutcome[]> {
    const { clock, limits, prepare, publisher } = this.options
    const prepared: (WireMessage | PosthornError)[] = []
    for (let bytes = 0; bytes <= limits.maxInFlightBytes / 2 && prepared.length <= limits.maxInFlight / 2;) {
      const message = messages[prepared.length]
      if (prepared.length === messages.length) break
      try {
        const wire = prepare(destination.name, message as OutgoingMessage)
        bytes += wire.body.length
        prepared.push(wire)
      } catch (error) {
        prepared.push(asRejected(error))
      }
    }
    const timeoutMs = deadline - clock.now()
    return new Promise((resolve) => {
      const caller = new BatchCaller(prepared.length, resolve)
      for (const [index, one] of prepared.entries()) {
        if (isPosthornError(one)) caller.done(index, one)
        else if (timeoutMs <= 0) caller.done(index, tooLate(destination))
        else publisher.add(destination, one, caller, index, timeoutMs, signal)
      }
    })
  }

  private writeOne(
    kind: 'send' | 'publish',
    name: string,
    message: OutgoingMessage,
    options: SendOptions | undefined,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      let destination: Destination
      let wire: WireMessage
      try {
        destination = this.check(kind, kind, name, options)
        wire = this.options.prepare(name, message)
      } catch (error) {
        return reject(asRejected(error))
      }
      const timeoutMs = options?.timeoutMs ?? this.options.sendTimeoutMs
      this.options.publisher.add(
        destination,
        wire,
        new SingleCaller(resolve, reject),
        0,
        timeoutMs,
        options?.signal,
      )
    })
  }

  /** What holds for a call as a whole; throws, or answers its destination. */
  private check(
    call: string,
    kind: 'send' | 'publish',
    name: string,
    options: SendOptions | undefined,
  ): Destination {
    try {
      this.options.refuse()
      if (options !== undefined) checkOptions(`${call}(${showValue(name)})`, options, sendRules)
      return this.destination(kind, name)
    } catch (error) {
      throw asRejected(error)
    }
  }

  /** Forgets what is known of destinations: a declaration may have changed it. */
  forgetDestinations(): void {
    this.destinations.send.clear()
  }

  /** The destination of that name, checked once. */
  private destination(kind: 'send' | 'publish', name: string): Destination {
    const known = this.destinations[kind]
    const found = known.get(name)
    if (found !== undefined) return found
    const destination = toDestination(kind, name, this.options.shardsOf)
    if (known.size >= maxKnownDestinations) known.clear()
    known.set(name, destination)
    return destination
  }
}

function toDestination(
  kind: 'send' | 'publish',
  name: string,
  shardsOf: (queue: string) => number,
): Destination {
  if (kind === 'publish') {
    checkName(name, 'topic')
    return { kind: 'topic', name }
  }
  if (typeof name === 'string' && name.startsWith(inboxPrefix)) return { kind: 'inbox', name }
  checkName(name, 'queue')
  return { kind: 'queue', name, shards: shardsOf(name) }
}

function asRejected(error: unknown): PosthornError {
  if (isPosthornError(error) && error.outcome !== undefined) return error
  const known = toPosthornError(error, 'POSTHORN_DEFECT', { phase: 'publish' })
  return new PosthornError(known.code, known.message, {
    phase: known.phase ?? 'publish',
    retryable: known.retryable,
    outcome: 'rejected',
    cause: known.cause,
  })
}

/** A batch that failed as a whole, told for each of its messages; what keeps it from being one is told as it is. */
function forEach({ destination, messages }: PublishBatch, error: unknown): unknown {
  if (!isPosthornError(error) || error.outcome === undefined || messages.length === 0) return error
  if (error.code === 'POSTHORN_PARTIAL_PUBLISH' || error.code === 'POSTHORN_CLOSED') return error
  return new PartialPublishError(
    destination,
    messages.map(() => error),
  )
}
