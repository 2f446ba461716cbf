import { replyCode } from './errors.ts'
import { seatLock } from './names.ts'
import type { Questions } from './questions.ts'

/** A place among the instances that consume a source. */
export interface Seat {
  readonly number: number
  /** Never rejects. */
  leave(): Promise<void>
}

/** Gives each instance that consumes a source a number of its own, the lowest that is free, by exclusive queues. */
export class Seats {
  private readonly questions: Questions
  /** Of this connection, which its own locks do not keep out. */
  private readonly taken = new Set<string>()

  constructor(questions: Questions) {
    this.questions = questions
  }

  /** Answers a seat below `count`, or `undefined` when all are taken. Rejects with what amqplib says. */
  async take(queue: string, count: number): Promise<Seat | undefined> {
    for (let number = 0; number < count; number += 1) {
      const lock = seatLock(queue, number)
      if (this.taken.has(lock)) continue
      this.taken.add(lock)
      try {
        await this.questions.ask((channel) => channel.assertQueue(lock, { exclusive: true, durable: false }))
        return { number, leave: () => this.leave(lock) }
      } catch (error) {
        this.taken.delete(lock)
        if (replyCode(error) !== 405) throw error
      }
    }
    return undefined
  }

  private async leave(lock: string): Promise<void> {
    // Where that fails, it goes with the connection.
    await this.questions.ask((channel) => channel.deleteQueue(lock)).catch(() => undefined)
    this.taken.delete(lock)
  }
}
