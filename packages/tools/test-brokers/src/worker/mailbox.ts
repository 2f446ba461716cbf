import { within } from '../wall-clock.ts'
import type { WorkerMessage } from './connect-worker.ts'

type Match = (message: WorkerMessage) => boolean

/** Keeps a worker's messages until somebody waits for them. */
export class Mailbox {
  #unread: WorkerMessage[] = []
  #waiting = new Set<() => void>()
  #end: Error | undefined

  put(message: WorkerMessage): void {
    this.#unread.push(message)
    this.#wake()
  }

  /** No message will come any more. What has come can still be taken. */
  end(reason: Error): void {
    this.#end = reason
    this.#wake()
  }

  /** The first message that matches; `undefined` when none has come in time. Rejects when none can come any more. */
  async take(match: Match, timeoutMs: number): Promise<WorkerMessage | undefined> {
    let look = (): void => undefined
    const found = new Promise<WorkerMessage>((resolve, reject) => {
      look = () => {
        const index = this.#unread.findIndex(match)
        const [message] = index === -1 ? [] : this.#unread.splice(index, 1)
        if (message !== undefined) resolve(message)
        else if (this.#end !== undefined) reject(this.#end)
        // Whoever has one message must not take another.
        else return
        this.#waiting.delete(look)
      }
      this.#waiting.add(look)
      look()
    })
    try {
      return await within(timeoutMs, found)
    } finally {
      this.#waiting.delete(look)
    }
  }

  #wake(): void {
    for (const look of this.#waiting) look()
  }
}
