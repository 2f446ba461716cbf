import type { Pending } from './pending.ts'

interface Watched {
  readonly pending: Set<Pending>
  readonly stop: () => void
}

/**
 * Listens once to each signal, for all sends that were given it: a platform's signal looks through all of its listeners
 * whenever one comes or goes.
 */
export class AbortWatch {
  private readonly watched = new Map<AbortSignal, Watched>()
  private readonly aborted: (pending: Pending, reason: unknown) => void

  constructor(aborted: (pending: Pending, reason: unknown) => void) {
    this.aborted = aborted
  }

  /** Until the send has its answer. */
  add(pending: Pending, signal: AbortSignal): void {
    const { pending: all } = this.watched.get(signal) ?? this.listen(signal)
    all.add(pending)
    pending.forget = () => {
      all.delete(pending)
      if (all.size === 0) this.forget(signal)
    }
  }

  private listen(signal: AbortSignal): Watched {
    const pending = new Set<Pending>()
    const abort = (): void => {
      for (const one of [...pending]) this.aborted(one, signal.reason)
    }
    signal.addEventListener('abort', abort, { once: true })
    const watched = { pending, stop: () => signal.removeEventListener('abort', abort) }
    this.watched.set(signal, watched)
    return watched
  }

  private forget(signal: AbortSignal): void {
    this.watched.get(signal)?.stop()
    this.watched.delete(signal)
  }
}
