import { spawn, type SpawnOptions } from 'node:child_process'

export interface CommandResult {
  /** Null where a signal ended it. */
  readonly exitCode: number | null
  /** What it printed, without the empty space around it. */
  readonly stdout: string
  /** Both streams in the order in which they came. */
  readonly output: string
  readonly timedOut: boolean
}

export interface CommandOptions extends Pick<SpawnOptions, 'cwd' | 'env'> {
  /** Milliseconds, then the command is killed. By default it may take as long as it likes. */
  readonly timeoutMs?: number
}

/** Runs a command to its end and keeps what it printed. A failure is an answer too: it never rejects. */
export function runCommand(
  command: string,
  words: readonly string[],
  { timeoutMs, ...options }: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(command, words, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    const stdout: Buffer[] = []
    const output: Buffer[] = []
    let timedOut = false
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true
            child.kill('SIGKILL')
          }, timeoutMs)

    child.stdout.on('data', (chunk: Buffer) => {
      stdout.push(chunk)
      output.push(chunk)
    })
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk))

    const finish = (exitCode: number | null): void => {
      clearTimeout(timer)
      resolve({ exitCode, stdout: toText(stdout), output: toText(output), timedOut })
    }
    child.once('close', finish)
    child.once('error', (error) => {
      output.push(Buffer.from(`${command}: ${error.message}\n`))
      finish(1)
    })
  })
}

const toText = (chunks: readonly Buffer[]): string => Buffer.concat(chunks).toString().trim()
