import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const path = (program: string): string => fileURLToPath(new URL(`pika/${program}`, import.meta.url))

/** Runs one of the programs to its end; answers what it said. Never rejects. */
export async function runPika(
  python: string,
  program: string,
  args: readonly string[],
): Promise<{ readonly ok: boolean; readonly output: string }> {
  return new Promise((resolve) => {
    execFile(python, [path(program), ...args], (error, stdout, stderr) => {
      resolve({ ok: error === null, output: stdout + stderr })
    })
  })
}

/** Starts one of the programs; `lines` are those that it has printed so far. */
export function startPika(
  python: string,
  program: string,
  args: readonly string[],
): { readonly lines: readonly string[]; stop(): Promise<void> } {
  const child: ChildProcess = spawn(python, [path(program), ...args], { stdio: ['ignore', 'pipe', 'ignore'] })
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
