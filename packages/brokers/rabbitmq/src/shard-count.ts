import { exists } from './compare-queue.ts'
import { shardQueue, slotCount } from './shards.ts'
import type { Questions } from './questions.ts'
import type { Clock } from '@posthorn/transport/driver'

/** How long what was found is believed where being wrong harms little. Milliseconds. */
const freshMs = 60_000

/** Finds out how many shards a source has on the server: whoever declared it may be another program. */
export class ShardCount {
  private readonly questions: Questions
  private readonly clock: Clock
  private readonly found = new Map<string, { readonly count: number; readonly at: number }>()

  constructor(questions: Questions, clock: Clock) {
    this.questions = questions
    this.clock = clock
  }

  /** At least as many as are `known`. Rejects with what amqplib says. */
  async ask(queue: string, known: number): Promise<number> {
    let count = known
    // The server notes each question for a queue that is missing in its log; so there is one such question.
    while (count < slotCount && (await exists(this.questions, 'queue', shardQueue(queue, count)))) count += 1
    this.forgetOld()
    this.found.set(queue, { count, at: this.clock.now() })
    return count
  }

  /** The same, as it was a moment ago. */
  async recent(queue: string, known: number): Promise<number> {
    this.forgetOld()
    const found = this.found.get(queue)
    return found !== undefined && found.count >= known ? found.count : this.ask(queue, known)
  }

  private forgetOld(): void {
    const now = this.clock.now()
    for (const [queue, { at }] of this.found) if (at + freshMs <= now) this.found.delete(queue)
  }
}
