import type { Clock, Context, Handler, Message } from '@posthorn/transport'

/** One call of a handler. */
export interface Call {
  readonly message: Message
  readonly context: Context
  readonly id: string
  readonly data: unknown
  /** As they were when the handler was called. */
  readonly attempt: number
  readonly deliveries: number
  /** Who was called: a process, a group. */
  readonly by: string
  /** Epoch milliseconds. */
  readonly startedAt: number
  /** `undefined` while it runs. */
  endedAt: number | undefined
}

/** What a test's handler answers. */
export type Respond = (call: Call) => unknown

/** Handlers that keep a record of their calls, and what became of them. */
export class Recorder {
  readonly calls: Call[] = []
  /** The most handlers that ran at a time. */
  peak = 0
  private readonly clock: Clock
  private active = 0

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Handlers that run now. */
  get running(): number {
    return this.active
  }

  handler(respond: Respond = () => undefined, by = ''): Handler {
    return (message, context) => {
      const { attempt, deliveries } = context
      const call: Call = {
        message,
        context,
        id: message.id,
        data: message.data,
        attempt,
        deliveries,
        by,
        startedAt: this.clock.now(),
        endedAt: undefined,
      }
      this.calls.push(call)
      this.active += 1
      this.peak = Math.max(this.peak, this.active)
      const end = (): void => {
        this.active -= 1
        call.endedAt = this.clock.now()
      }
      let answer: unknown
      try {
        answer = respond(call)
      } catch (error) {
        end()
        throw error
      }
      if (answer instanceof Promise) return answer.finally(end)
      end()
      return answer
    }
  }

  get data(): unknown[] {
    return this.calls.map((call) => call.data)
  }

  get ids(): string[] {
    return this.calls.map((call) => call.id)
  }

  get attempts(): number[] {
    return this.calls.map((call) => call.attempt)
  }

  /** Calls for messages with this data. */
  of(data: unknown): Call[] {
    return this.calls.filter((call) => call.data === data)
  }

  by(name: string): Call[] {
    return this.calls.filter((call) => call.by === name)
  }

  /** The data as text, sorted; for "all of them, in any order". */
  get words(): string[] {
    return this.calls.map((call) => String(call.data)).toSorted()
  }

  /** Numbers in the data, sorted; for "each of them once". */
  get sorted(): number[] {
    return this.calls.map((call) => call.data as number).toSorted((a, b) => a - b)
  }
}
