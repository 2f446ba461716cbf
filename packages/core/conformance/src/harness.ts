import type { Clock, Transport, TransportOptions } from '@posthorn/transport'

/** Options of one process of the test; `name` is for people. */
export type OpenOptions = TransportOptions & { readonly name?: string }

/** A message as a program without Posthorn would put it. */
export interface ForeignMessage {
  readonly body: Uint8Array
  /** In the broker's own headers. */
  readonly headers: Readonly<Record<string, string>>
}

/** One broker under test. Each behaviour gets a harness of its own; several may share one server, since all names are unique. */
export interface TransportHarness {
  /** The clock that the transports run on. A virtual one (`createVirtualClock`) is moved by the suite, any other is waited for. */
  readonly clock: Clock
  /** Connects as a process of its own: it shares nothing with the others but the broker. Passes the options on. */
  open(options?: OpenOptions): Promise<Transport>
  readonly raw: {
    /** Puts a message into a queue that exists, with the broker's plain client: no envelope, no codec. */
    put(queue: string, message: ForeignMessage): Promise<void>
  }
  /** Called once, after every transport has been closed or killed. */
  close(): Promise<void>
}

type Done = void | Promise<void>

/** In the place of a fault that no harness could offer, since the broker has no such thing; says why. */
export interface CannotHappen {
  readonly cannotHappen: string
}

/** Faults that some brokers do not have. Everything else can befall any broker. */
export const faultsSomeLack = ['failSettlements', 'revoke', 'block', 'stall'] as const

/**
 * What a harness can break, on purpose. `source` is a queue's name or `<topic>/<group>`. A fault that is left out makes
 * the behaviours that need it "not shown"; in its place can stand a text that says why the harness has none. Where the
 * broker has no such thing, `{ cannotHappen }` makes them "declared"; should it happen all the same, they fail.
 */
export interface Faults<Harness extends TransportHarness = TransportHarness> {
  /** The transport's process dies: nothing that it holds is settled, and nothing that it does from now on reaches the broker. */
  readonly kill?: ((harness: Harness, transport: Transport) => Done) | string
  /** Cuts the connection of one transport, or of all of them. They may connect again at once. */
  readonly cut?: ((harness: Harness, transport: Transport | 'all') => Done) | string
  /** Ends the broker without a warning and starts it again, with what it has stored durably. Resolves when it is back. */
  readonly restart?: ((harness: Harness) => Done) | string
  /** While on, the broker takes no connections. */
  readonly refuse?: ((harness: Harness, on: boolean) => Done) | string
  /** The next `count` messages are stored and their confirmations never arrive. */
  readonly loseConfirmations?: ((harness: Harness, count: number) => Done) | string
  /** The broker refuses the next `count` messages. */
  readonly rejectPublishes?: ((harness: Harness, count: number) => Done) | string
  /** While on, the broker reads nothing that is published, or does not answer: the socket stalls. */
  readonly freezePublishes?: ((harness: Harness, on: boolean) => Done) | string
  /** The next `count` dead letters cannot be written; their messages stay where they are. */
  readonly failDeadLetters?: ((harness: Harness, count: number) => Done) | string
  /** The next `count` settlements fail, the deliveries staying where they are. */
  readonly failSettlements?: ((harness: Harness, count: number) => Done) | string | CannotHappen
  /** Whatever is held of the source stops being its holders', who are not told. */
  readonly dropLeases?: ((harness: Harness, source: string) => Done) | string
  /** Takes every scope of the source back in order, as a rebalance does. */
  readonly revoke?: ((harness: Harness, source: string) => Done) | string | CannotHappen
  /** Ends the consumers of the source from the broker's side, while their connections live. */
  readonly endConsumers?: ((harness: Harness, source: string) => Done) | string
  /** While on, the broker takes no messages and says so, as for want of memory. */
  readonly block?: ((harness: Harness, on: boolean) => Done) | string | CannotHappen
  /** Deletes a queue or a group, with its messages and consumers. */
  readonly loseDeclared?: ((harness: Harness, source: string) => Done) | string
  /** While on, nothing of the source is handed out although it has messages. */
  readonly stall?: ((harness: Harness, source: string, on: boolean) => Done) | string | CannotHappen
}

export type FaultName = keyof Faults

export interface TransportUnderTest<Harness extends TransportHarness = TransportHarness> {
  /** In titles, and the name of the results' file: `memory`, `rabbitmq-4.1`. */
  readonly name: string
  create(): Promise<Harness>
  readonly faults?: Faults<Harness>
  /** Milliseconds of the clock that a test may wait for one thing. Default: 15,000; on a virtual clock 600,000. */
  readonly patienceMs?: number
  /** Milliseconds of the clock after which nothing more is expected to happen. Default: 1,500; on a virtual clock 180,000. */
  readonly quietMs?: number
  /** Milliseconds of real time for each test. Default 60,000. */
  readonly testTimeoutMs?: number
  /** Whether tests run at the same time, since most of them only wait. Default false. */
  readonly concurrent?: boolean
  /** With `concurrent`: what needs one of these faults runs by itself, since others would feel it. Default: any fault. */
  readonly alone?: readonly FaultName[]
  /** Whether a complete run writes its results when the environment asks for them. Default true. */
  readonly writesResults?: boolean
}
