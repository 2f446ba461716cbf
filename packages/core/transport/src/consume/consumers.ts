import type { LoneGate } from './lone-gate.ts'
import { ConsumerController } from './consumer-controller.ts'
import { checkFacts } from './check-facts.ts'
import { consumeRules, consumeSettings, type ConsumeSettings } from './consume-settings.ts'
import { Runner } from './runner.ts'
import type { TopologyRegistry } from '../connection/topology-registry.ts'
import type { Clock } from '../contract/clock.ts'
import type { Codec } from '../contract/codec.ts'
import type { BatchConsumeOptions, ConsumeOptions, SubscriptionOptions } from '../contract/consume-options.ts'
import type { Consumer, Inbox, StopReport } from '../contract/consumer.ts'
import type { DriverConnection, Source } from '../contract/driver.ts'
import type { EmitEvent } from '../contract/events.ts'
import type { ConsumerHealth } from '../contract/health.ts'
import { PosthornError } from '../errors.ts'
import { callback, checkOptions, custom, oneOf } from '../options/check-options.ts'
import { startRule } from '../options/start-rule.ts'
import type { Sender } from '../publish/sender.ts'
import { requireFeature, type BrokerIdentity } from '../requirements.ts'
import { checkName, inboxPrefix, sourceName } from '../routing/names.ts'
import { checkPattern } from '../routing/pattern.ts'

export interface ConsumersHost {
  readonly clock: Clock
  readonly codec: Codec
  readonly gate: LoneGate
  readonly topology: TopologyRegistry
  readonly sender: Sender
  readonly stallMs: number
  readonly createId: () => string
  readonly broker: () => BrokerIdentity
  readonly connection: () => DriverConnection | undefined
  whenConnected(): Promise<unknown>
  readonly emit: EmitEvent
  /** Throws when nothing can be consumed any more. */
  refuse(): void
}

type AnyConsumeOptions = ConsumeOptions & Partial<BatchConsumeOptions>

interface AnySubscribeOptions extends AnyConsumeOptions {
  readonly group?: string
  readonly ephemeral?: boolean
  readonly patterns?: string | readonly string[]
  readonly from?: 'earliest' | Date
}

const subscribeRules = {
  ...consumeRules,
  group: custom('the name of a group', (value) => typeof value === 'string'),
  ephemeral: oneOf(true),
  from: startRule,
  patterns: custom(
    'a pattern, or an array of patterns',
    (value) => typeof value === 'string' || (Array.isArray(value) && value.length > 0),
  ),
}

const closesAllowed = 20

/** The consumers of one transport. */
export class Consumers {
  private readonly host: ConsumersHost
  private readonly controllers = new Set<ConsumerController>()
  private closing = false

  constructor(host: ConsumersHost) {
    this.host = host
  }

  async consume(queue: string, handler: unknown, options: AnyConsumeOptions = {}): Promise<Consumer> {
    const where = `consume(${JSON.stringify(queue)})`
    this.host.refuse()
    checkName(queue, 'queue')
    checkOptions(where, options, consumeRules)
    const settings = this.settings(where, handler, options, { ephemeral: false })
    const source = this.host.topology.queueSource(queue)
    return this.start(() => source, queue, undefined, settings)
  }

  async subscribe(
    topic: string,
    handler: unknown,
    given: SubscriptionOptions & AnyConsumeOptions,
  ): Promise<Consumer> {
    const where = `subscribe(${JSON.stringify(topic)})`
    this.host.refuse()
    checkName(topic, 'topic')
    checkOptions(where, given, subscribeRules)
    const options: AnySubscribeOptions = given ?? {}
    const { group, ephemeral, from } = options
    if ((group === undefined) === (ephemeral === undefined)) {
      throw new PosthornError(
        'POSTHORN_INVALID_OPTION',
        `${where} needs ${group === undefined ? 'either' : 'only one of'} { group } (durable: each group gets every message) ` +
          `${group === undefined ? 'or' : 'and'} { ephemeral: true } (only while connected, at most once).`,
        { phase: 'options' },
      )
    }
    const patterns = options.patterns === undefined ? ['#'] : [options.patterns].flat()
    for (const pattern of patterns) checkPattern(pattern)
    if (group !== undefined) checkName(group, 'group')
    const settings = this.settings(where, handler, options, { ephemeral: ephemeral === true, from })
    if (group === undefined) requireFeature(this.host.broker(), 'ephemeral', `${where} with ephemeral: true`)
    const source: Source =
      group === undefined
        ? { kind: 'ephemeral', topic, patterns }
        : this.host.topology.subscriptionSource(topic, group, patterns)
    return this.start(() => source, sourceName(source), group, settings)
  }

  async inbox(
    handler: unknown,
    options: { readonly onLost?: (error: PosthornError) => void } = {},
  ): Promise<Inbox> {
    this.host.refuse()
    checkOptions('inbox()', options, { onLost: callback() })
    requireFeature(this.host.broker(), 'inbox', 'inbox()')
    const settings = consumeSettings('inbox()', handler, { concurrency: 100 }, { ephemeral: true })
    let address = ''
    const target = (): Source => {
      address = inboxPrefix + this.host.createId()
      return { kind: 'inbox', name: address }
    }
    const onLost = (error: PosthornError): void => {
      try {
        options.onLost?.(error)
      } catch (thrown) {
        this.host.emit('callbackFailed', { where: 'onLost of an inbox', error: thrown })
      }
    }
    const consumer = await this.start(target, 'inbox', undefined, settings, onLost)
    const close = async (): Promise<void> => {
      await consumer.stop()
    }
    return {
      get address() {
        return address
      },
      close,
      [Symbol.asyncDispose]: close,
    }
  }

  /** A new connection is there. */
  async restore(): Promise<void> {
    await Promise.all([...this.controllers].map((controller) => controller.restore()))
  }

  connectionLost(error: PosthornError): void {
    for (const controller of this.controllers) controller.connectionLost(error)
  }

  get count(): number {
    return this.controllers.size
  }

  health(): ConsumerHealth[] {
    return [...this.controllers].map((controller) => controller.health())
  }

  async stop(deadlineMs: number): Promise<StopReport[]> {
    this.closing = true
    return Promise.all([...this.controllers].map((controller) => controller.stop({ deadlineMs })))
  }

  /** The checked settings, held against what the broker can do. */
  private settings(
    where: string,
    handler: unknown,
    options: AnyConsumeOptions,
    reading: { readonly ephemeral: boolean; readonly from?: 'earliest' | Date | undefined },
  ): ConsumeSettings {
    let settings = consumeSettings(where, handler, options, reading)
    const broker = this.host.broker()
    if (settings.order === 'key') {
      requireFeature(broker, 'keyOrder', `${where} with order: 'key'`)
      if (settings.holdKey) requireFeature(broker, 'holdKey', `${where} with whileRetrying: 'hold-key'`)
    }
    if (settings.from === 'earliest') requireFeature(broker, 'fromEarliest', `${where} with from: 'earliest'`)
    if (settings.from instanceof Date) requireFeature(broker, 'fromTime', `${where} with a date as from`)
    const { lease, features } = broker.capabilities
    // Where a mere close counts as a hand-out, restarts must not look like crashes.
    if (
      features.uncountedClose.level !== 'native' &&
      options.maxDeliveries === undefined &&
      !settings.ephemeral
    ) {
      settings = { ...settings, maxDeliveries: settings.maxDeliveries + closesAllowed }
    }
    const { scope, durationMs, longer } = lease
    if (scope === 'session' && durationMs !== undefined && settings.handlerTimeoutMs > durationMs) {
      if (options.handlerTimeoutMs !== undefined) {
        throw new PosthornError(
          'POSTHORN_UNSUPPORTED',
          `${where}.handlerTimeoutMs is ${options.handlerTimeoutMs}, and ${broker.name} lets a delivery be held for ${durationMs} ms ` +
            `at most. Lower it, split the work into smaller messages${longer === undefined ? '' : `, or ${longer}`}.`,
          { phase: 'declare' },
        )
      }
      settings = { ...settings, handlerTimeoutMs: durationMs }
    }
    checkFacts(where, settings, options)
    return settings
  }

  private async start(
    target: () => Source,
    source: string,
    group: string | undefined,
    settings: ConsumeSettings,
    onLost?: (error: PosthornError) => void,
  ): Promise<Consumer> {
    const { host } = this
    await host.whenConnected()
    host.refuse()
    const { clock, codec, gate, emit } = host
    const capabilities = (): BrokerIdentity['capabilities'] => host.broker().capabilities
    const runner = new Runner(
      {
        source,
        group,
        clock,
        codec,
        gate,
        emit,
        capabilities,
        output: (cause, ordinal, output) => host.sender.output(cause, source, ordinal, output),
      },
      settings,
    )
    const controller = new ConsumerController(
      {
        clock,
        emit,
        stallMs: host.stallMs,
        connection: host.connection,
        ensure: (wanted) => host.topology.ensureSource(wanted, settings),
        stopped: (one) => this.controllers.delete(one),
      },
      target,
      source,
      settings,
      runner,
      onLost,
    )
    this.controllers.add(controller)
    try {
      while (!(await controller.start())) {
        await host.whenConnected()
        host.refuse()
      }
    } catch (error) {
      await controller.stop({ deadlineMs: 0 })
      throw error
    }
    if (this.closing) await controller.stop()
    return controller
  }
}
