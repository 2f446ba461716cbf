import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { startGuard } from '../process/guard.ts'
import { parametersVariable, type WorkerMessage, type WorkerParameters } from './connect-worker.ts'
import { Mailbox } from './mailbox.ts'

const defaultPatienceMs = 15_000
const keptOutput = 64 * 1024

export interface WorkerExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A process that runs a module, to be frozen or killed at a chosen moment. */
export interface WorkerProcess {
  readonly pid: number
  readonly exited: Promise<WorkerExit>
  /** The last 64 KB that it wrote to standard output and standard error. */
  readonly output: string
  tell<Message extends WorkerMessage>(message: Message): void
  /**
   * The first message that matches and was not waited for before, whether it has come already or not. A string matches
   * messages with this `type`. Rejects when the worker ends first or after `timeoutMs` (default: 15 s).
   */
  waitFor<Message extends WorkerMessage = WorkerMessage>(
    match: string | ((message: WorkerMessage) => boolean),
    timeoutMs?: number,
  ): Promise<Message>
  signal(name: NodeJS.Signals): void
  pause(): void
  resume(): void
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<WorkerExit>
}

/** Forks a TypeScript module, which takes its parameters and its end of the channel from `connectWorker`. */
export function startWorker(module: string | URL, parameters: WorkerParameters = {}): WorkerProcess {
  const file = module instanceof URL || module.startsWith('file:') ? fileURLToPath(module) : module
  const child = fork(file, {
    execArgv: ['--conditions=posthorn-source'],
    env: { ...process.env, [parametersVariable]: JSON.stringify(parameters) },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'advanced',
  })
  const { pid } = child
  if (pid === undefined) throw new Error(`No process could be started for ${file}`)
  const guard = startGuard()
  guard.watch(pid, file)

  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-keptOutput)
    })
  }
  const mailbox = new Mailbox()
  child.on('message', (message) => mailbox.put(message as WorkerMessage))
  const exited = new Promise<WorkerExit>((resolve) => {
    // When its output has been read to the end, too.
    child.on('close', (code, signal) => {
      mailbox.end(new Error(`Worker ${file} ended with ${signal ?? `code ${code}`}. It wrote:\n${output}`))
      void guard.release().then(() => resolve({ code, signal }))
    })
  })

  return {
    pid,
    exited,
    get output() {
      return output
    },
    tell(message) {
      // One that has just ended takes nothing; whoever waits for its answer is told so.
      child.send(message, () => undefined)
    },
    async waitFor<Message extends WorkerMessage>(
      match: string | ((message: WorkerMessage) => boolean),
      timeoutMs = defaultPatienceMs,
    ) {
      const matches = typeof match === 'string' ? (message: WorkerMessage) => message.type === match : match
      const message = await mailbox.take(matches, timeoutMs)
      if (message !== undefined) return message as Message
      const wanted = typeof match === 'string' ? `"${match}"` : 'what was waited for'
      throw new Error(`Worker ${file} did not tell ${wanted} in ${timeoutMs} ms. It wrote:\n${output}`)
    },
    signal: (name) => void child.kill(name),
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async kill() {
      child.kill('SIGKILL')
      return exited
    },
  }
}
