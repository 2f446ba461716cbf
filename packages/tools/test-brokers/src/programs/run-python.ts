import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** Runs a program to its end; answers what it said. Never rejects. */
export async function runPython(
  python: string,
  program: URL,
  args: readonly string[],
): Promise<{ readonly ok: boolean; readonly output: string }> {
  return new Promise((resolve) => {
    execFile(python, [fileURLToPath(program), ...args], (error, stdout, stderr) => {
      resolve({ ok: error === null, output: stdout + stderr })
    })
  })
}

/** Starts a program; `lines` are those that it has printed so far. */
export function startPython(
  python: string,
  program: URL,
  args: readonly string[],
): { readonly lines: readonly string[]; stop(): Promise<void> } {
  const child: ChildProcess = spawn(python, [fileURLToPath(program), ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const lines: string[] = []
  createInterface({ input: child.stdout! }).on('line', (line) => lines.push(line))
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  return {
    lines,
    async stop() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
