import { Session } from './session.ts'
import type { Consumer } from './consumer.ts'
import type { Line } from './line.ts'
import type { BrokerParts } from './parts.ts'
import type { Queue } from './queue.ts'
import type { Sharing } from './shared-line.ts'

/** Each shard belongs to one consumer at a time. They are spread evenly, and as few as possible move. */
export class Shards implements Sharing {
  readonly consumers: Set<Consumer> = new Set()
  private readonly queue: Queue
  private readonly parts: BrokerParts
  private sessions = 0
  private spreading = false

  constructor(queue: Queue, parts: BrokerParts) {
    this.queue = queue
    this.parts = parts
  }

  join(consumer: Consumer): void {
    this.consumers.add(consumer)
    this.spread()
  }

  /** Others get its shards once all that end with it have left, too. */
  leave(consumer: Consumer): void {
    this.consumers.delete(consumer)
    if (this.spreading) return
    this.spreading = true
    this.parts.clock.defer(() => {
      this.spreading = false
      this.spread()
    })
  }

  renew(): void {
    this.spread()
  }

  private spread(): void {
    if (this.consumers.size === 0) return
    for (const [line, consumer] of this.plan()) {
      const session = line.sessions[0]
      if (session?.consumer === consumer || !this.consumers.has(consumer)) continue
      if (session === undefined) this.assign(line, consumer)
      else void this.take(line, session)
    }
  }

  /** Who should have which: owners keep theirs, free ones go to who has least, then the surplus moves. */
  private plan(): Map<Line, Consumer> {
    const plan = new Map<Line, Consumer>()
    const owned = new Map<Consumer, Line[]>([...this.consumers].map((consumer) => [consumer, []]))
    const give = (line: Line, consumer: Consumer): void => {
      plan.set(line, consumer)
      owned.get(consumer)?.push(line)
    }
    for (const line of this.queue.lines) {
      const owner = line.sessions[0]?.consumer
      if (owner !== undefined && owned.has(owner)) give(line, owner)
    }
    for (const line of this.queue.lines)
      if (!plan.has(line))
        give(
          line,
          pick(owned, (a, b) => a < b),
        )
    for (;;) {
      const rich = pick(owned, (a, b) => a > b)
      const poor = pick(owned, (a, b) => a < b)
      const surplus = owned.get(rich) as Line[]
      if (surplus.length - (owned.get(poor) as Line[]).length < 2) return plan
      give(surplus.pop() as Line, poor)
    }
  }

  private assign(line: Line, consumer: Consumer): void {
    const shard = this.queue.lines.indexOf(line)
    const name = `shard ${shard} of ${this.queue.name} (assignment ${++this.sessions})`
    consumer.open(new Session(name, line, consumer, this.parts))
  }

  private async take(line: Line, session: Session): Promise<void> {
    await session.consumer.giveUp(session)
    this.spread()
  }
}

/** The first consumer whose number of lines is best. */
function pick(
  owned: ReadonlyMap<Consumer, readonly Line[]>,
  isBetter: (a: number, b: number) => boolean,
): Consumer {
  let best: Consumer | undefined
  let count = 0
  for (const [consumer, lines] of owned) {
    if (best !== undefined && !isBetter(lines.length, count)) continue
    best = consumer
    count = lines.length
  }
  return best as Consumer
}
