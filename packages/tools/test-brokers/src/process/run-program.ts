import { execFile } from 'node:child_process'

export interface ProgramResult {
  /** `undefined` when it could not be started or was ended by a signal. */
  readonly code: number | undefined
  readonly stdout: string
  readonly stderr: string
}

export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** It gets SIGKILL after this time. Default: none. */
  readonly timeoutMs?: number
}

const maxOutputBytes = 64 * 1024 * 1024

/** Runs a program to its end. Never rejects: a program that is not there has no code and says so in `stderr`. */
export async function runProgram(
  file: string,
  args: readonly string[],
  { env, cwd, timeoutMs = 0 }: ProgramOptions = {},
): Promise<ProgramResult> {
  return new Promise((resolve) => {
    execFile(
      file,
      args,
      { env: env ?? process.env, cwd, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: maxOutputBytes },
      (error, stdout, stderr) => {
        if (error === null) resolve({ code: 0, stdout, stderr })
        else if (typeof error.code === 'number') resolve({ code: error.code, stdout, stderr })
        else resolve({ code: undefined, stdout, stderr: stderr || error.message })
      },
    )
  })
}

/** The last lines of what a program said, for an error message. */
export function lastLines({ stdout, stderr }: ProgramResult, count = 5): string {
  return `${stdout}\n${stderr}`.trim().split('\n').slice(-count).join('\n')
}
