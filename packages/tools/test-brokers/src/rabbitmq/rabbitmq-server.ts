/** One node of a server. What acts on it throws for one that was not started here. */
export interface RabbitmqNode {
  /** With host: `rabbit1@localhost`. */
  readonly name: string
  readonly url: string
  /** Of the server's process itself; changes with a restart. `undefined` for a server that was not started here. */
  readonly pid: number | undefined
  readonly running: boolean
  /** SIGKILL, as a crash. Its data stay. */
  kill(): Promise<void>
  /** SIGSTOP: connections stay open and nobody answers. */
  pause(): void
  resume(): void
  /** Shuts down in an orderly way if it runs, and starts again on the same ports and data. Also after a `kill`. */
  restart(): Promise<void>
  /** Runs rabbitmqctl against this node and answers what it prints; rejects when it fails. About half a second. */
  ctl(...args: readonly string[]): Promise<string>
}

/** A server or a cluster; `kill`, `pause`, `resume` and `restart` go to all its nodes, and `ctl` to one that runs. */
export interface RabbitmqServer extends RabbitmqNode {
  /** As the server says: `3.10.8`. */
  readonly version: string
  /** It was there already (`POSTHORN_RABBITMQ_URL`), may be shared, and cannot be killed, paused or reset. */
  readonly external: boolean
  readonly nodes: readonly RabbitmqNode[]
  /** Of each node, in the order of `nodes`. */
  readonly urls: readonly string[]
  /** With user and password; only when the plugin `rabbitmq_management` was asked for. */
  readonly managementUrl: string | undefined
  /**
   * Has all nodes write to disk which quorum queues they hold. By itself that happens up to half a second after a queue
   * was declared, and a node that is killed before has lost the queue's messages, confirmed or not: call it between
   * declaring and killing.
   */
  sync(): Promise<void>
  /** Back to how it was at the start: no queue, exchange, policy, other virtual host or user, no alarm by a watermark. */
  reset(): Promise<void>
  /** Ends it at once and removes its data. Leaves a server that was not started here alone. */
  stop(): Promise<void>
}

/** `any`: whatever can be had first. */
export type RabbitmqVersion = '3.10' | '4.0' | '4.3' | 'any'

export interface RabbitmqOptions {
  /** Default: `any`. */
  readonly version?: RabbitmqVersion
  /** Such as `rabbitmq_management`. Default: none. */
  readonly plugins?: readonly string[]
  /** Default: 1. */
  readonly nodes?: 1 | 3
  /** More lines of rabbitmq.conf, by key. `{folder}` in a value becomes the folder that holds `files`. */
  readonly config?: Readonly<Record<string, string | number | boolean>>
  /** Files for the server, such as certificates, by name. */
  readonly files?: Readonly<Record<string, string>>
}
