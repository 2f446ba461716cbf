import { isStoreError } from './store-error.ts'

interface Waiting<Request, Answer> {
  readonly request: Request
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

/** Makes batches of what is asked for singly in one turn, or while as many batches as may be are on their way. */
export class Gatherer<Request, Answer> {
  readonly #run: (requests: readonly Request[]) => Promise<readonly Answer[]>
  readonly #maxBatch: number
  readonly #maxInFlight: number
  #waiting: Waiting<Request, Answer>[] = []
  #inFlight = 0
  #scheduled = false

  constructor(
    run: (requests: readonly Request[]) => Promise<readonly Answer[]>,
    maxBatch: number,
    maxInFlight: number,
  ) {
    this.#run = run
    this.#maxBatch = maxBatch
    this.#maxInFlight = maxInFlight
  }

  // Not async: it would make two promises of each.
  ask(request: Request): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject })
      if (this.#scheduled) return
      this.#scheduled = true
      // After all that goes on at the moment, promises included.
      process.nextTick(() => {
        this.#scheduled = false
        this.#flush()
      })
    })
  }

  #flush(): void {
    while (this.#waiting.length > 0 && this.#inFlight < this.#maxInFlight) {
      this.#inFlight += 1
      void this.#send(this.#waiting.splice(0, this.#maxBatch))
    }
  }

  async #send(batch: readonly Waiting<Request, Answer>[]): Promise<void> {
    await this.#answer(batch)
    this.#inFlight -= 1
    this.#flush()
  }

  async #answer(batch: readonly Waiting<Request, Answer>[]): Promise<void> {
    try {
      const answers = await this.#run(batch.map(({ request }) => request))
      let index = 0
      for (const { resolve } of batch) resolve(answers[index++] as Answer)
    } catch (error) {
      // Nothing of it was done, and only what cannot work is to be refused.
      if (batch.length > 1 && isRefusal(error))
        await Promise.all(batch.map(async (one) => this.#answer([one])))
      else for (const { reject } of batch) reject(error)
    }
  }
}

function isRefusal(error: unknown): boolean {
  return isStoreError(error) && error.phase === 'options'
}
