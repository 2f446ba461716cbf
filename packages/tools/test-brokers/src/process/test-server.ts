/** A server that is one process, or one with its children. What acts on it throws for one that was not started here. */
export interface TestServer {
  readonly url: string
  /** As its program says: `15.14`; `undefined` for a server that was not started here. */
  readonly version: string | undefined
  /** It was there already, may be shared, and cannot be killed or paused. */
  readonly external: boolean
  /** Changes with a restart. */
  readonly pid: number | undefined
  readonly running: boolean
  /** SIGKILL, as a crash. Its data stay. */
  kill(): Promise<void>
  /** SIGSTOP: connections stay open and nobody answers. */
  pause(): void
  resume(): void
  /** Shuts down in an orderly way if it runs, and starts again on the same port and data. Also after a `kill`. */
  restart(): Promise<void>
  /** Ends it at once and removes its data. Leaves a server that was not started here alone. */
  stop(): Promise<void>
}
