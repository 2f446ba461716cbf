import { exists } from './compare-queue.ts'
import { toRabbitmqError } from './errors.ts'
import { delayStep, ownObjects } from './names.ts'
import { sideQueueArguments } from './queue-arguments.ts'
import { followersOf, ladderBindings, stepsMs, type ReturnTo } from './retry-ladder.ts'
import { Questions } from './questions.ts'
import { PosthornError } from '@posthorn/transport/driver'
import type { Channel, ChannelModel } from 'amqplib'

/** Questions that are asked side by side while the ladder is made. */
const makers = 4

/**
 * The queues that delay, shared by all sources of a virtual host: each holds what is in it for its time and hands it on,
 * confirmed, to the next step or to where it belongs.
 */
export class Ladder {
  private readonly model: ChannelModel
  private readonly questions: Questions
  private readonly bound = new Set<string>()
  private known: Promise<void> | undefined

  constructor(model: ChannelModel, questions: Questions) {
    this.model = model
    this.questions = questions
  }

  /** It is there. Makes it where that is allowed, once in the life of a virtual host, which takes a second or so. */
  ensure(mode: 'create' | 'check'): Promise<void> {
    this.known ??= this.find(mode).catch((error: unknown) => {
      this.known = undefined
      throw error
    })
    return this.known
  }

  /** Makes again what somebody has deleted of it. */
  repair(): Promise<void> {
    this.bound.clear()
    this.known = this.make().catch((error: unknown) => {
      this.known = undefined
      throw error
    })
    return this.known
  }

  /** What waits for this queue or topic finds it; rejects when there is none. `anew`: it may have been made again. */
  async bindReturn(to: ReturnTo, anew = false): Promise<void> {
    const [name] = Object.values(to) as [string]
    const key = JSON.stringify(to)
    if (this.bound.has(key) && !anew) return
    const match = ladderBindings.returnTo(to)
    await this.questions.ask(async (channel) => {
      if ('queue' in to) return channel.bindQueue(name, ownObjects.returns, '', match)
      await channel.bindExchange(name, ownObjects.returns, '', match)
      // A topic without a matching group takes it, too; otherwise it would stop the step that it comes from.
      return channel.bindQueue(ownObjects.nowhere, ownObjects.returns, '', match)
    })
    this.bound.add(key)
  }

  private async find(mode: 'create' | 'check'): Promise<void> {
    if (await exists(this.questions, 'exchange', ownObjects.complete)) return
    if (mode === 'create') return this.make()
    const text = `There are no queues for delays and retries in this virtual host (${ownObjects.complete}). Use the topology mode "create" once.`
    throw new PosthornError('POSTHORN_TOPOLOGY_MISSING', text, { phase: 'declare' })
  }

  private async make(): Promise<void> {
    try {
      await this.askAll([
        (channel) => channel.assertExchange(ownObjects.lost, 'fanout', { durable: true }),
        (channel) => channel.assertQueue(ownObjects.lost, { durable: true, arguments: sideQueueArguments }),
        (channel) =>
          channel.assertExchange(ownObjects.returns, 'headers', {
            durable: true,
            alternateExchange: ownObjects.lost,
          }),
        (channel) => channel.assertExchange(ownObjects.delay, 'headers', { durable: true }),
        (channel) =>
          channel.assertQueue(ownObjects.nowhere, { durable: true, arguments: { 'x-max-length': 0 } }),
        ...stepsMs.map(
          (step) => (channel: Channel) =>
            channel.assertExchange(delayStep(step), 'headers', { durable: true }),
        ),
        ...stepsMs.map((step) => (channel: Channel) => channel.assertQueue(delayStep(step), stepQueue(step))),
      ])
      await this.askAll([
        (channel) => channel.bindQueue(ownObjects.lost, ownObjects.lost, ''),
        ...stepsMs.flatMap((step) => [
          (channel: Channel) =>
            channel.bindQueue(delayStep(step), ownObjects.delay, '', ladderBindings.entry(step)),
          (channel: Channel) =>
            channel.bindExchange(ownObjects.returns, delayStep(step), '', ladderBindings.done(step)),
          ...followersOf(step).map(
            (next) => (channel: Channel) =>
              channel.bindQueue(delayStep(next), delayStep(step), '', ladderBindings.next(step, next)),
          ),
        ]),
      ])
      await this.questions.ask((channel) =>
        channel.assertExchange(ownObjects.complete, 'fanout', { durable: true }),
      )
    } catch (error) {
      throw toRabbitmqError(error, 'the queues for delays and retries', { phase: 'declare' })
    }
  }

  private async askAll(all: readonly ((channel: Channel) => Promise<unknown>)[]): Promise<void> {
    const rest = all.values()
    const makeSome = async (): Promise<void> => {
      const channel = await this.model.createChannel()
      channel.on('error', () => undefined)
      for (const ask of rest) await ask(channel)
      await channel.close()
    }
    await Promise.all(Array.from({ length: makers }, makeSome))
  }
}

function stepQueue(stepMs: number): Parameters<Channel['assertQueue']>[1] {
  return {
    durable: true,
    arguments: {
      ...sideQueueArguments,
      'x-message-ttl': stepMs,
      'x-overflow': 'reject-publish',
      'x-dead-letter-strategy': 'at-least-once',
      'x-dead-letter-exchange': delayStep(stepMs),
    },
  }
}
