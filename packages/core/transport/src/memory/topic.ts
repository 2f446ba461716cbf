import { History } from './history.ts'
import { Queue } from './queue.ts'
import { createMatcher, createRouter } from '../routing/pattern.ts'
import type { BrokerParts } from './parts.ts'
import type { QueueArguments } from './queue.ts'
import type { WireMessage } from '../contract/wire-message.ts'
import type { PosthornError } from '../errors.ts'

/** Gives each message to every subscription that matches. They share it: no body is copied. */
export class Topic {
  readonly name: string
  private readonly parts: BrokerParts
  private readonly router = createRouter<Queue>()
  private readonly history: History | undefined

  constructor(name: string, parts: BrokerParts) {
    this.name = name
    this.parts = parts
    const { history } = parts.settings
    this.history = history === false ? undefined : new History(history.maxMessages, history.maxBytes)
  }

  /** Makes a subscription; what was published before comes only when asked for. */
  subscribe(name: string, args: QueueArguments, from: 'earliest' | Date | undefined): Queue {
    const patterns = args.patterns ?? ['#']
    const matches = createMatcher(patterns)
    const inClient = this.parts.settings.patterns === 'client'
    const queue = new Queue(
      name,
      args,
      this.parts,
      inClient ? (message) => !matches(message.routingKey) : undefined,
    )
    queue.onDestroyed = () => this.unsubscribe(queue)
    this.parts.queues.set(name, queue)
    for (const pattern of inClient ? ['#'] : patterns) this.router.add(pattern, queue)
    if (from !== undefined && this.history !== undefined) {
      const now = this.parts.clock.now()
      for (const message of this.history.since(from)) {
        if (inClient || matches(message.routingKey)) queue.insert(message, now)
      }
    }
    return queue
  }

  private unsubscribe(queue: Queue): void {
    const patterns = this.parts.settings.patterns === 'client' ? ['#'] : (queue.arguments.patterns ?? ['#'])
    for (const pattern of patterns) this.router.remove(pattern, queue)
  }

  /** All or none: when one durable group is full, no group gets it. */
  accept(message: WireMessage, now: number): 'confirmed' | PosthornError {
    const targets = this.router.route(message.routingKey)
    for (const target of targets) {
      const full = target.arguments.kind === 'group' ? target.fullFor(message) : undefined
      if (full !== undefined) return full
    }
    this.history?.add(message, now)
    this.give(targets, message, now)
    return 'confirmed'
  }

  /** Gives it to all that match, whatever their bounds are. */
  insert(message: WireMessage, now: number): void {
    this.give(this.router.route(message.routingKey), message, now)
  }

  private give(targets: readonly Queue[], message: WireMessage, now: number): void {
    for (const target of targets) {
      if (target.arguments.kind === 'ephemeral' && target.fullFor(message) !== undefined) target.miss()
      else target.insert(message, now)
    }
  }
}
