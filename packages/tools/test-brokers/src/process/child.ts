import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import type { Guard } from './guard.ts'
import { within } from '../wall-clock.ts'

export interface ChildOptions {
  readonly file: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** Gets standard output and standard error, after what is in it. */
  readonly logFile: string
  readonly guard: Guard
  /** A part of the command line that tells this process from others, for the guard. */
  readonly mark: string
}

/** A server that runs as a child process and does not outlive this one. */
export class Child {
  readonly pid: number
  readonly exited: Promise<void>
  running = true
  #process: ReturnType<typeof spawn>
  #options: ChildOptions

  constructor(options: ChildOptions) {
    this.#options = options
    const log = openSync(options.logFile, 'a')
    try {
      this.#process = spawn(options.file, options.args, {
        env: options.env,
        cwd: options.cwd,
        stdio: ['ignore', log, log],
        // Ctrl-C in the terminal is for the tests, not for the server.
        detached: true,
      })
    } finally {
      closeSync(log)
    }
    this.exited = new Promise((resolve) => {
      const end = (): void => {
        this.running = false
        resolve()
      }
      this.#process.once('exit', end).once('error', end)
    })
    this.#process.unref()
    if (this.#process.pid === undefined)
      throw new Error(`${options.file} cannot be started: is it installed?`)
    this.pid = this.#process.pid
    options.guard.watch(this.pid, options.mark)
  }

  pause(): void {
    this.#signal('SIGSTOP')
  }

  resume(): void {
    this.#signal('SIGCONT')
  }

  /** SIGKILL; resolves when it is gone. Does nothing when it is gone already. */
  async kill(): Promise<void> {
    if (!this.running) return
    this.#process.ref()
    this.#process.kill('SIGKILL')
    await this.exited
  }

  /** SIGTERM, also to a paused process, and SIGKILL when that was not enough in time. */
  async terminate(patienceMs: number): Promise<void> {
    if (!this.running) return
    this.#process.ref()
    this.#process.kill('SIGTERM')
    this.#process.kill('SIGCONT')
    await within(patienceMs, this.exited)
    await this.kill()
  }

  /** The last lines that it wrote, for error messages. */
  logTail(): string {
    return readFileSync(this.#options.logFile, 'utf8').trimEnd().split('\n').slice(-20).join('\n')
  }

  #signal(name: NodeJS.Signals): void {
    if (!this.running)
      throw new Error(`Process ${this.pid} is not running, so it cannot get ${name}: restart it first`)
    this.#process.kill(name)
  }
}
