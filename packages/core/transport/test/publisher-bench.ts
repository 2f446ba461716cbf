import { FakeConnection, type PublishCall } from './fake-driver.ts'
import { wireMessage } from './wire-message.ts'
import type { Destination, DriverHost } from '../src/contract/driver.ts'
import type { TransportEvents } from '../src/contract/events.ts'
import type { PosthornError } from '../src/errors.ts'
import { createVirtualClock, type VirtualClock } from '../src/testing/virtual-clock.ts'
import type { InFlightLimits } from '../src/publish/in-flight-bound.ts'
import { Publisher } from '../src/publish/publisher.ts'

/** One send, and what its caller was told. */
export interface Sent {
  readonly id: string
  readonly destination: Destination
  outcome: 'confirmed' | PosthornError | undefined
  /** How often its caller was told. */
  answers: number
}

export interface SendDetails {
  readonly bytes?: number
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  readonly key?: string
}

export const orders: Destination = { kind: 'queue', name: 'orders', shards: 1 }
export const bills: Destination = { kind: 'queue', name: 'bills', shards: 1 }
export const events: Destination = { kind: 'topic', name: 'events' }

/** A publisher alone, with everything around it in the hands of a test. By itself, nothing is answered. */
export class PublisherBench {
  readonly clock: VirtualClock = createVirtualClock()
  readonly sent: Sent[] = []
  readonly returned: TransportEvents['returned'][] = []
  readonly unresponsive: PosthornError[] = []
  readonly publisher: Publisher
  connection: FakeConnection | undefined
  reason = ''
  ensure: (destination: Destination) => Promise<void> | undefined = () => undefined
  forget: (destination: Destination) => boolean = () => false

  constructor(limits: Partial<InFlightLimits> = {}) {
    this.connect()
    this.publisher = new Publisher(
      {
        clock: this.clock,
        broker: 'fake',
        connection: () => this.connection,
        reason: () => this.reason,
        ensure: (destination) => this.ensure(destination),
        forget: (destination) => this.forget(destination),
        unresponsive: (error) => void this.unresponsive.push(error),
        emit: (name, event) => {
          if (name === 'returned') this.returned.push(event as TransportEvents['returned'])
        },
      },
      { maxInFlight: 10_000, maxInFlightBytes: 1_000_000, whenFull: 'wait', ...limits },
    )
  }

  connect(): FakeConnection {
    const connection = new FakeConnection(undefined as unknown as DriverHost)
    connection.onPublish = () => {}
    this.connection = connection
    return connection
  }

  lose(error: PosthornError): void {
    this.connection = undefined
    this.publisher.connectionLost(error)
  }

  send(destination: Destination, details: SendDetails = {}): Sent {
    const { bytes = 10, timeoutMs = 30_000, signal, key } = details
    const sent: Sent = { id: `m${this.sent.length}`, destination, outcome: undefined, answers: 0 }
    this.sent.push(sent)
    const caller = {
      done: (_index: number, outcome: 'confirmed' | PosthornError): void => {
        sent.outcome = outcome
        sent.answers++
      },
    }
    this.publisher.add(destination, wireMessage(sent.id, bytes, { key }), caller, 0, timeoutMs, signal)
    return sent
  }

  /** Lets everything go on that waits for no timer. */
  turn(): Promise<void> {
    return this.clock.advance(0)
  }

  get calls(): readonly PublishCall[] {
    return this.connection?.published ?? []
  }

  /** The ids of each batch that the connection was given. */
  get batches(): readonly (readonly string[])[] {
    return this.calls.map((call) => idsOf(call))
  }
}

export function idsOf(call: PublishCall): readonly string[] {
  return call.batch.map(({ id }) => id)
}
