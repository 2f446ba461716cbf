import { join } from 'node:path'
import { delay, monotonicMs } from '../wall-clock.ts'
import { childPids } from './child-pids.ts'
import { Child } from './child.ts'
import type { Guard } from './guard.ts'
import type { TestServer } from './test-server.ts'

const startPatienceMs = 60_000
const shutdownPatienceMs = 10_000
const pollMs = 10

export interface ServerProgram {
  /** For error messages. */
  readonly name: string
  readonly url: string
  readonly version: string
  readonly file: string
  /** With the folder among them, by which the guard knows the process. */
  readonly args: readonly string[]
  /** Of the server's data; removed by `stop`. */
  readonly folder: string
  readonly guard: Guard
  /** Whether it takes commands. */
  readonly isReady: () => Promise<boolean>
}

/** Starts a server, and resolves when it is ready. */
export async function startServer(program: ServerProgram): Promise<TestServer> {
  const { name, url, version, folder, guard } = program
  let child = await launch(program)
  return {
    url,
    version,
    external: false,
    get pid() {
      return child.pid
    },
    get running() {
      return child.running
    },
    kill,
    pause: () => child.pause(),
    resume: () => child.resume(),
    async restart() {
      await child.terminate(shutdownPatienceMs)
      child = await launch(program)
    },
    async stop() {
      await kill()
      await guard.release()
    },
  }

  /** With the processes that it has started, which would go on for a moment. */
  async function kill(): Promise<void> {
    if (!child.running) return
    const children = await childPids(child.pid)
    await child.kill()
    for (const pid of children) endProcess(pid)
  }

  async function launch({ file, args, isReady }: ServerProgram): Promise<Child> {
    const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LANG: 'C.UTF-8' }
    const logFile = join(folder, 'output.log')
    const launched = new Child({ file, args, env, cwd: folder, logFile, guard, mark: folder })
    const deadline = monotonicMs() + startPatienceMs
    while (!(await isReady())) {
      if (!launched.running) throw new Error(`${name} ended while it started:\n${launched.logTail()}`)
      if (monotonicMs() > deadline)
        throw new Error(`${name} was not ready in ${startPatienceMs} ms:\n${launched.logTail()}`)
      await delay(pollMs)
    }
    return launched
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended with its parent.
  }
}

/** A server that an environment variable names: it can be used and nothing else. */
export function externalServer(url: string, variable: string): TestServer {
  const refuse = (action: string): never => {
    throw new Error(
      `Cannot ${action} the server of ${variable}: it was not started here. Unset ${variable} for this test`,
    )
  }
  return {
    url,
    version: undefined,
    external: true,
    pid: undefined,
    running: true,
    kill: async () => refuse('kill'),
    pause: () => refuse('pause'),
    resume: () => refuse('resume'),
    restart: async () => refuse('restart'),
    stop: async () => undefined,
  }
}
