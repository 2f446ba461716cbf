/** Where a node listens. */
export interface NodeAddress {
  readonly host: string
  readonly port: number
}

/**
 * All that a client library has to give: connections that are logged in. What is said over them, and what is done about
 * failures, is ours, so that no two libraries differ in it.
 */
export interface KafkaClient<Native = unknown> {
  /** The library's own object, where there is one. */
  readonly native: Native
  /** The nodes that were given to begin with. */
  bootstrap(): Promise<readonly NodeAddress[]>
  /**
   * Connects to one node and logs in. Tries once; once the signal is aborted it rejects at once. Rejects with whatever the
   * library throws, or with `AccessRefused`; then nothing of the connection is left.
   */
  connect(address: NodeAddress, signal: AbortSignal): Promise<KafkaWire>
}

/** One connection. It is never restored: what comes after it is another one. */
export interface KafkaWire {
  readonly isOpen: boolean
  /** Called once when it has ended, at once if it has already. */
  onEnd(listener: () => void): void
  /**
   * Writes a request at once, in the order of the calls; answers the response's bytes after its header. `body` is that of a
   * version without tagged fields. Rejects when the connection ends before the answer.
   */
  request(api: number, version: number, body: Uint8Array): Promise<Buffer>
  /** Ends it at once; what waits for an answer rejects. */
  close(): void
}

/** The node refuses the login. */
export class AccessRefused extends Error {}
