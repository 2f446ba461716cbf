import { fixed, type ErrorCode, type Feature, type Transport } from '@posthorn/transport'
import { rejection, type ExpectedError } from '../bench/errors.ts'
import type { Bench } from '../bench/bench.ts'

type Ask = (bench: Bench, transport: Transport) => Promise<unknown>

const handler = (): void => undefined

/** How to ask for each feature that is asked for; the others are only declared. */
const asking: { readonly [Name in Feature]?: Ask } = {
  delayedSend: (bench, transport) => transport.send(bench.name('orders'), { data: 1, delayMs: 1_000 }),
  priority: (bench, transport) => transport.send(bench.name('orders'), { data: 1, priority: 9 }),
  keyOrder: (bench, transport) =>
    transport.consume(bench.name('orders'), handler, { order: 'key', whileRetrying: 'overtake' }),
  holdKey: (bench, transport) =>
    transport.consume(bench.name('orders'), handler, { order: 'key', whileRetrying: 'hold-key' }),
  deduplication: (bench, transport) =>
    transport.declare({ queues: [{ name: bench.name('orders'), deduplicationWindowMs: 60_000 }] }),
  boundedQueues: (bench, transport) =>
    transport.declare({ queues: [{ name: bench.name('orders'), maxMessages: 10 }] }),
  fromEarliest: (bench, transport) =>
    transport.subscribe(bench.name('events'), handler, {
      group: 'billing',
      from: 'earliest',
      retryDelay: fixed(1_000),
    }),
  fromTime: (bench, transport) =>
    transport.subscribe(bench.name('events'), handler, { group: 'billing', from: new Date(bench.now()) }),
  ephemeral: (bench, transport) => transport.subscribe(bench.name('events'), handler, { ephemeral: true }),
  inbox: (_, transport) => transport.inbox(handler),
}

const refused: ErrorCode = 'POSTHORN_UNSUPPORTED'

/** Whether users can ask for the feature, so that it can be refused. */
export function canBeAskedFor(feature: Feature): boolean {
  return asking[feature] !== undefined
}

/** Asks for a feature that the broker has not: it has to be refused, naming the broker, its version and the alternative. */
export async function askFor(bench: Bench, transport: Transport, feature: Feature): Promise<void> {
  const ask = asking[feature]
  if (ask === undefined) return
  const { alternative } = transport.capabilities.features[feature]
  const { version } = transport.health()
  const expected: ExpectedError = {
    code: refused,
    retryable: false,
    mentions: [
      transport.broker,
      ...(version === undefined ? [] : [version]),
      ...(alternative === undefined ? [] : [alternative]),
    ],
  }
  await rejection(`asking for "${feature}"`, ask(bench, transport), expected)
}
