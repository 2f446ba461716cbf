import { replyCode, toRabbitmqError, unroutable } from './errors.ts'
import { ladderHeaders, returnHeaders, type ReturnTo } from './retry-ladder.ts'
import {
  withOutcome,
  type PosthornError,
  type PublishOutcome,
  type WireMessage,
} from '@posthorn/transport/driver'
import type { Ladder } from './ladder.ts'
import type { Outgoing } from './publish-batch.ts'
import type { Publisher } from './publisher.ts'

/** As the envelope has it where it is no native property. */
const priorityHeader = 'posthorn-priority'

export interface Delayed {
  readonly message: WireMessage
  /** Milliseconds; 0 is at once. */
  readonly delayMs: number
  readonly to: ReturnTo
  /** Further headers of the driver's own. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Puts messages where they come back from after their time. Each is confirmed, or not there. */
export class Delays {
  private readonly publisher: Publisher
  private readonly ladder: Ladder
  private readonly keepsPriority: boolean

  /** `keepsPriority`: the server's queues let each priority's messages expire by themselves. */
  constructor(publisher: Publisher, ladder: Ladder, keepsPriority: boolean) {
    this.publisher = publisher
    this.ladder = ladder
    this.keepsPriority = keepsPriority
  }

  async publish(items: readonly Delayed[], deadline: number): Promise<readonly PublishOutcome[]> {
    const problems = await this.findWays(items)
    const outcomes: PublishOutcome[] = items.map(({ to }) => problems.get(nameOf(to)) ?? 'confirmed')
    const open = [...items.keys()].filter((index) => outcomes[index] === 'confirmed')
    const now = open.filter((index) => (items[index] as Delayed).delayMs <= 0)
    const later = open.filter((index) => (items[index] as Delayed).delayMs > 0)
    const put = (indexes: readonly number[], found: readonly PublishOutcome[]): void => {
      for (const [position, index] of indexes.entries()) outcomes[index] = found[position] as PublishOutcome
    }
    await Promise.all([
      this.publisher.toReturns(outgoing(now, items, true), deadline).then((found) => put(now, found)),
      this.publisher
        .toLadder(outgoing(later, items, this.keepsPriority), deadline)
        .then((found) => put(later, found)),
    ])
    const refused = later.filter((index) => isUnroutable(outcomes[index]))
    if (refused.length === 0) return outcomes
    // Somebody has deleted a step.
    try {
      await this.ladder.repair()
      await this.findWays(items)
    } catch {
      return outcomes
    }
    put(refused, await this.publisher.toLadder(outgoing(refused, items, this.keepsPriority), deadline))
    return outcomes
  }

  /** What cannot come back, and why. */
  private async findWays(items: readonly Delayed[]): Promise<ReadonlyMap<string, PosthornError>> {
    const problems = new Map<string, PosthornError>()
    for (const to of new Map(items.map((item) => [nameOf(item.to), item.to])).values()) {
      try {
        await this.ladder.bindReturn(to)
      } catch (error) {
        const isQueue = 'queue' in to
        const isMissingQueue = isQueue && replyCode(error) === 404 && !String(error).includes('no exchange')
        const what = isQueue ? `the queue "${to.queue}"` : `the topic "${to.topic}"`
        const problem = isMissingQueue
          ? unroutable(to.queue)
          : toRabbitmqError(error, what, { phase: 'publish' })
        problems.set(nameOf(to), withOutcome(problem, 'rejected'))
      }
    }
    return problems
  }
}

function nameOf(to: ReturnTo): string {
  return 'queue' in to ? `queue ${to.queue}` : `topic ${to.topic}`
}

function isUnroutable(outcome: PublishOutcome | undefined): boolean {
  return outcome !== undefined && outcome !== 'confirmed' && outcome.code === 'POSTHORN_UNROUTABLE'
}

/** Without native priority: a message of another one, at the head of a step until its time, would hold it up. */
function outgoing(indexes: readonly number[], items: readonly Delayed[], keepsPriority: boolean): Outgoing[] {
  return indexes.map((index) => {
    const { message, delayMs, to, headers } = items[index] as Delayed
    const way = delayMs > 0 ? ladderHeaders(delayMs, to) : returnHeaders(to)
    const { priority } = message
    const isLevelled = !keepsPriority && priority !== undefined
    return {
      routingKey: message.routingKey,
      message: isLevelled ? { ...message, priority: undefined } : message,
      headers: { ...way, ...headers, ...(isLevelled ? { [priorityHeader]: String(priority) } : {}) },
    }
  })
}
