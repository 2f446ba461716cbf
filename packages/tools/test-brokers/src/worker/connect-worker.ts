/** The environment variable that carries a worker's parameters. */
export const parametersVariable = 'POSTHORN_WORKER_PARAMETERS'

/** Values that JSON can carry. */
export type WorkerParameters = Readonly<Record<string, unknown>>

/** Anything that can be cloned, with a type to wait for. */
export interface WorkerMessage {
  readonly type: string
}

/** The worker's end of the channel to the test that started it. */
export interface WorkerConnection<Parameters> {
  readonly parameters: Parameters
  /** Resolves when the test's process can read it, so a worker that is killed afterwards has told it. */
  tell<Message extends WorkerMessage>(message: Message): Promise<void>
  onMessage<Message extends WorkerMessage>(listener: (message: Message) => void): void
}

/** To be called once, at the start of a module that `startWorker` runs. The worker ends with the test's process. */
export function connectWorker<Parameters = WorkerParameters>(): WorkerConnection<Parameters> {
  const text = process.env[parametersVariable]
  if (text === undefined || process.send === undefined) {
    throw new Error('This module is a worker of the tests: start it with startWorker')
  }
  process.on('disconnect', () => process.exit())
  return {
    parameters: JSON.parse(text) as Parameters,
    async tell(message) {
      return new Promise((resolve, reject) => {
        process.send?.(message, (error: Error | null) => (error === null ? resolve() : reject(error)))
      })
    },
    onMessage<Message extends WorkerMessage>(listener: (message: Message) => void) {
      process.on('message', (message) => listener(message as Message))
    },
  }
}
