import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Child } from '../process/child.ts'
import type { Guard } from '../process/guard.ts'
import { lastLines, runProgram } from '../process/run-program.ts'
import { delay, monotonicMs } from '../wall-clock.ts'
import { readAmqpVersion } from './amqp-handshake.ts'
import type { RabbitmqInstallation } from './installation.ts'
import type { RabbitmqNode } from './rabbitmq-server.ts'

const startPatienceMs = 90_000
const shutdownPatienceMs = 30_000
const pollMs = 25

export interface LocalNodeOptions {
  readonly name: string
  readonly port: number
  readonly distributionPort: number
  readonly epmdPort: number
  /** Of all nodes of the server; each node has a folder in it. */
  readonly folder: string
  readonly config: readonly string[]
  readonly installation: RabbitmqInstallation
  readonly guard: Guard
}

/** A node that runs as a child process. */
export class LocalNode implements RabbitmqNode {
  readonly name: string
  readonly url: string
  #options: LocalNodeOptions
  #child: Child | undefined

  constructor(options: LocalNodeOptions) {
    this.#options = options
    this.name = options.name
    this.url = `amqp://guest:guest@127.0.0.1:${options.port}`
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  get running(): boolean {
    return this.#child?.running ?? false
  }

  async prepare(): Promise<void> {
    await mkdir(join(this.#options.folder, this.name))
    await writeFile(
      join(this.#options.folder, this.name, 'rabbitmq.conf'),
      `${this.#options.config.join('\n')}\n`,
    )
  }

  async start(): Promise<void> {
    const { installation, folder, guard, port } = this.#options
    const env = this.#environment()
    const marked = {
      ...env,
      // Three minutes by default, which tests that kill nodes would have to wait.
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `-start_epmd false -posthorn_folder ${folder} -rabbit dead_letter_worker_publisher_confirm_timeout 2000`,
    }
    const command = installation.command('rabbitmq-server', folder, [])
    const logFile = join(folder, this.name, 'output.log')
    const child = new Child({ ...command, env: marked, cwd: folder, logFile, guard, mark: folder })
    this.#child = child

    // It listens only when all else has started.
    const deadline = monotonicMs() + startPatienceMs
    while ((await readAmqpVersion('127.0.0.1', port)) === undefined) {
      if (!child.running) throw new Error(`${this.name} ended while it started:\n${child.logTail()}`)
      if (monotonicMs() > deadline) {
        throw new Error(
          `${this.name} did not answer on port ${port} in ${startPatienceMs} ms:\n${child.logTail()}`,
        )
      }
      await delay(pollMs)
    }
  }

  async kill(): Promise<void> {
    await this.#child?.kill()
  }

  pause(): void {
    this.#started().pause()
  }

  resume(): void {
    this.#started().resume()
  }

  async restart(): Promise<void> {
    await this.shutDown()
    await this.start()
  }

  async shutDown(): Promise<void> {
    await this.#child?.terminate(shutdownPatienceMs)
  }

  async ctl(...args: readonly string[]): Promise<string> {
    const { installation, folder } = this.#options
    const { file, args: all } = installation.command('rabbitmqctl', folder, ['-q', '-n', this.name, ...args])
    const result = await runProgram(file, all, { env: this.#environment(), cwd: folder })
    if (result.code !== 0) {
      throw new Error(`rabbitmqctl ${args.join(' ')} failed on ${this.name}: ${lastLines(result, 20)}`)
    }
    return result.stdout
  }

  #started(): Child {
    if (this.#child === undefined) throw new Error(`${this.name} has not been started`)
    return this.#child
  }

  /** Nothing of the caller's environment, which may configure another RabbitMQ. */
  #environment(): Record<string, string> {
    const { installation, folder, epmdPort, distributionPort } = this.#options
    const shared = installation.folderInside(folder)
    const own = join(shared, this.name)
    return {
      PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin',
      LANG: 'C.UTF-8',
      // Erlang looks for its cookie there.
      HOME: shared,
      ERL_EPMD_PORT: String(epmdPort),
      ERL_EPMD_ADDRESS: '127.0.0.1',
      RABBITMQ_NODENAME: this.name,
      RABBITMQ_DIST_PORT: String(distributionPort),
      RABBITMQ_MNESIA_BASE: join(own, 'data'),
      RABBITMQ_LOG_BASE: join(own, 'log'),
      RABBITMQ_CONFIG_FILE: join(own, 'rabbitmq.conf'),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(shared, 'enabled_plugins'),
      // It does not exist, so the system's own is not read.
      RABBITMQ_CONF_ENV_FILE: join(shared, 'no-environment.conf'),
      // The start script becomes the server instead of keeping it as its child, so signals reach the server.
      RUNNING_UNDER_SYSTEMD: 'true',
    }
  }
}
