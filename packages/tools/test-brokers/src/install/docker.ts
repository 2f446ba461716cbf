import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { lastLines, runProgram } from '../process/run-program.ts'

export interface ContainerOptions {
  readonly name: string
  readonly image: string
  /** Ports inside, by their ports on 127.0.0.1. They stay when it is killed and started again. */
  readonly ports: Readonly<Record<number, number>>
  /** Folders and files inside, by theirs here; to be read only. */
  readonly mounts: Readonly<Record<string, string>>
}

/** A container of this process, which does not outlive it. */
export interface Container {
  /** Starts it again with its data, after a `kill` or when it was stopped. */
  start(): Promise<void>
  /** SIGKILL to all in it. */
  kill(): Promise<void>
  /** SIGTERM, and SIGKILL when that was not enough in time. */
  stop(patienceS: number): Promise<void>
  pause(): void
  resume(): void
  /** Runs a program inside and answers what it prints; rejects when it fails. */
  execute(...command: readonly string[]): Promise<string>
  /** Removes it with its data. */
  remove(): Promise<void>
}

/** Why Docker cannot be used here; `undefined` when it can. */
export async function findNoDocker(): Promise<string | undefined> {
  const result = await runProgram('docker', ['version', '--format', '{{.Server.Version}}'])
  if (result.code === 0) return undefined
  return result.code === undefined ? 'there is no docker' : `docker does not answer: ${lastLines(result, 1)}`
}

/** The words after `docker`. Its ports are named, since Docker would choose others whenever it is started again. */
export function runArguments({ name, image, ports, mounts }: ContainerOptions): string[] {
  return [
    ...['run', '--detach', '--name', name, '--hostname', name],
    ...Object.entries(ports).flatMap(([here, inside]) => ['--publish', `127.0.0.1:${here}:${inside}`]),
    ...Object.entries(mounts).flatMap(([here, inside]) => ['--volume', `${here}:${inside}:ro`]),
    image,
  ]
}

/** Downloads the image when it is not here yet, and starts a container. Rejects with what docker says. */
export async function startContainer(options: ContainerOptions): Promise<Container> {
  const { name } = options
  const remove = removeAtTheEnd(name)
  try {
    await docker(...runArguments(options))
  } catch (error) {
    await remove()
    throw error
  }
  return {
    remove,
    start: async () => void (await docker('start', name)),
    kill: async () => void (await docker('kill', name)),
    stop: async (patienceS) => void (await docker('stop', '-t', String(patienceS), name)),
    pause: () => void execFileSync('docker', ['pause', name], { stdio: 'ignore' }),
    resume: () => void execFileSync('docker', ['unpause', name], { stdio: 'ignore' }),
    execute: async (...command) => docker('exec', name, ...command),
  }
}

async function docker(...words: readonly string[]): Promise<string> {
  const result = await runProgram('docker', words)
  if (result.code !== 0) throw new Error(`docker ${words.join(' ')} failed: ${lastLines(result)}`)
  return result.stdout
}

// Its input ends when this process does, even by SIGKILL.
const script = `
trap '' INT TERM HUP
while read -r line; do :; done
exec docker rm --force --volumes "$1"
`

/** Answers how to remove the container now; it is removed when this process ends, however that ends. */
function removeAtTheEnd(name: string): () => Promise<void> {
  const child = spawn('/bin/sh', ['-c', script, 'guard', name], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  const closed = once(child, 'close')
  closed.catch(() => undefined)
  child.unref()
  child.stdin.on('error', () => undefined)
  if ('unref' in child.stdin) (child.stdin as unknown as { unref(): void }).unref()
  return async () => {
    child.ref()
    child.stdin.end()
    await closed
  }
}
