import { randomUUID } from 'node:crypto'
import type { Clock } from '@posthorn/transport'
import { readEnvelope } from '@posthorn/transport/driver'
import type {
  Delivery,
  DeliverySink,
  Destination,
  Driver,
  DriverConnection,
  DriverConsumer,
  Scope,
  SettleItem,
  Source,
} from '@posthorn/transport/driver'

/** A message as a client library hands it out: the parsed body, and headers. */
export interface NaiveMessage<Body> {
  readonly body: Body
  readonly headers: Readonly<Record<string, string>>
}

type OnMessage<Body> = (message: NaiveMessage<Body>) => unknown

/** What the client library of a common broker offers: publish, consume, ack and nack. The rest is up to its user. */
export interface NaiveBroker {
  /** To every queue that is bound to the exchange. Resolves when the broker has confirmed. */
  publish(exchange: string, type: string, body: object): Promise<void>
  send(queue: string, type: string, body: object): Promise<void>
  /** Binds a durable queue to a type of the exchange and consumes it, without a limit on unacked messages. */
  subscribe<Body>(exchange: string, type: string, queue: string, onMessage: OnMessage<Body>): Promise<void>
  consume<Body>(
    queue: string,
    onMessage: OnMessage<Body>,
    options: { readonly prefetch: number },
  ): Promise<void>
  ack(message: NaiveMessage<unknown>): Promise<void>
  /** Back to the head of the queue, or, without `requeue`, into its dead-letter queue. */
  nack(message: NaiveMessage<unknown>, requeue?: boolean): Promise<void>
  close(): Promise<void>
}

export interface NaiveBrokerOptions {
  readonly clock: Clock
  /** The connection is lost. As in most client libraries, it stays so. */
  readonly onLost: (error: Error) => void
}

const timeoutMs = 30_000
const noLimit = 100_000

/** That library, on the bare driver of a broker. */
export async function connectNaively(driver: Driver, options: NaiveBrokerOptions): Promise<NaiveBroker> {
  const { clock, onLost } = options
  const connection: DriverConnection = await driver.connect({
    clock,
    namespace: '',
    signal: new AbortController().signal,
    emit: () => undefined,
    lost: onLost,
    unreachable: () => undefined,
    blocked: () => undefined,
  })
  const unacked = new WeakMap<
    NaiveMessage<unknown>,
    (item: Omit<SettleItem, 'delivery' | 'message'>) => Promise<void>
  >()
  const queueOf = (name: string): Source => ({
    kind: 'queue',
    name,
    deadLetterQueue: `${name}.dlq`,
    shards: 1,
  })

  async function write(destination: Destination, type: string, body: object): Promise<void> {
    const { message } = readEnvelope({
      headers: {},
      native: { id: randomUUID(), type, contentType: 'application/json' },
      body: Buffer.from(JSON.stringify(body)),
      position: undefined,
      now: clock.now(),
      createId: randomUUID,
    })
    const [outcome] = await connection.publish(destination, [message], clock.now() + timeoutMs)
    if (outcome !== 'confirmed') throw outcome ?? new Error('No answer')
  }

  async function read<Body>(source: Source, onMessage: OnMessage<Body>, prefetch: number): Promise<void> {
    let consumer: DriverConsumer | undefined
    const handOut = (scope: Scope, delivery: Delivery): void => {
      const message: NaiveMessage<Body> = {
        body: JSON.parse(Buffer.from(delivery.message.body).toString()) as Body,
        headers: delivery.message.headers,
      }
      unacked.set(message, async (item) => {
        unacked.delete(message)
        await consumer?.settle(scope, [{ ...item, delivery, message: delivery.message }])
      })
      onMessage(message)
    }
    const sink: DeliverySink = {
      assigned: () => prefetch,
      deliver: (scope, deliveries) => deliveries.forEach((delivery) => handOut(scope, delivery)),
      revoke: async () => undefined,
      lost: () => undefined,
      ended: onLost,
    }
    const request = { order: 'none', prefetch, prefetchBytes: 1_000_000, handlerTimeoutMs: 300_000 } as const
    consumer = await connection.consume(source, request, sink)
  }

  return {
    publish: (exchange, type, body) => write({ kind: 'topic', name: exchange }, type, body),
    send: (name, type, body) => write({ kind: 'queue', name, shards: 1 }, type, body),
    async subscribe(topic, type, group, onMessage) {
      const patterns = [type]
      await connection.declare(
        { topics: [{ name: topic }], subscriptions: [{ topic, group, patterns }] },
        'create',
      )
      const deadLetterQueue = `${topic}/${group}.dlq`
      await read(
        { kind: 'subscription', topic, group, patterns, deadLetterQueue, shards: 1 },
        onMessage,
        noLimit,
      )
    },
    async consume(name, onMessage, { prefetch }) {
      await connection.declare({ queues: [{ name }] }, 'create')
      await read(queueOf(name), onMessage, prefetch)
    },
    async ack(message) {
      await unacked.get(message)?.({ verb: 'ack', delayMs: 0, record: undefined })
    },
    async nack(message, requeue = true) {
      if (requeue) return unacked.get(message)?.({ verb: 'release', delayMs: 0, record: undefined })
      // What a broker notes of a rejected message: that it was, and when.
      const record = {
        source: '',
        group: undefined,
        reason: 'rejected',
        error: undefined,
        attempts: 1,
        deliveries: 1,
        firstFailedAt: undefined,
        lastFailedAt: undefined,
        deadLetteredAt: clock.now(),
        handler: undefined,
      }
      return unacked.get(message)?.({ verb: 'deadLetter', delayMs: 0, record })
    },
    close: () => connection.close(),
  }
}
