import type { Destination } from '../contract/driver.ts'
import type { PosthornError } from '../errors.ts'
import type { Pending } from './pending.ts'

/** What waits to be written to one destination, in order. */
export class Line {
  readonly destination: Destination
  /** Refused because the destination was gone; ahead of what came later. */
  repaired: Pending[] = []
  queued: Pending[] = []
  /** It is in the list of lines to write in this turn. */
  dirty = false
  /** Its declaration is under way, or waits for its next try: nothing is written until then. */
  declaring = false
  /** Declarations that failed, one after the other, and the last one's error. */
  failures = 0
  failure: PosthornError | undefined = undefined
  /** Stops the wait for the next try. */
  cancelRetry: (() => void) | undefined = undefined

  constructor(destination: Destination) {
    this.destination = destination
  }

  get empty(): boolean {
    return this.queued.length === 0 && this.repaired.length === 0
  }

  each(visit: (pending: Pending) => void): void {
    this.repaired.forEach(visit)
    this.queued.forEach(visit)
  }

  /** Takes out everything, in order. */
  take(): readonly Pending[] {
    const taken = this.repaired.length === 0 ? this.queued : [...this.repaired, ...this.queued]
    this.repaired = []
    this.queued = []
    return taken
  }

  /** Takes out what has been answered before it was written. */
  takeAnswered(): readonly Pending[] {
    const answered: Pending[] = []
    const stays = (pending: Pending): boolean => {
      if (pending.answered) answered.push(pending)
      return !pending.answered
    }
    this.repaired = this.repaired.filter(stays)
    this.queued = this.queued.filter(stays)
    return answered
  }
}

/** The lines by destination. One is kept only while something is on it, so that destinations of the past leave nothing. */
export class Lines {
  private readonly lines: Readonly<Record<Destination['kind'], Map<string, Line>>> = {
    queue: new Map(),
    topic: new Map(),
    inbox: new Map(),
  }

  find({ kind, name }: Destination): Line | undefined {
    return this.lines[kind].get(name)
  }

  open(destination: Destination): Line {
    const known = this.find(destination)
    if (known !== undefined) return known
    const line = new Line(destination)
    this.lines[destination.kind].set(destination.name, line)
    return line
  }

  close(line: Line): void {
    const { kind, name } = line.destination
    line.cancelRetry?.()
    if (this.lines[kind].get(name) === line) this.lines[kind].delete(name)
  }

  all(): Line[] {
    return [...this.lines.queue.values(), ...this.lines.topic.values(), ...this.lines.inbox.values()]
  }
}
