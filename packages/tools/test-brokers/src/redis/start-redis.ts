import { mkdtemp } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installWithApt } from '../install/apt.ts'
import { orReason, ServerUnavailable } from '../install/server-unavailable.ts'
import { findFreePorts } from '../process/find-free-ports.ts'
import { startGuard } from '../process/guard.ts'
import { runProgram } from '../process/run-program.ts'
import { externalServer, startServer } from '../process/start-server.ts'
import type { TestServer } from '../process/test-server.ts'

const variable = 'POSTHORN_REDIS_URL'
const program = 'redis-server'

export interface RedisOptions {
  /** More of its configuration, by key: `{ 'cluster-enabled': 'yes' }`. A server of `POSTHORN_REDIS_URL` is then not used. */
  readonly config?: Readonly<Record<string, string>>
}

/**
 * Starts a Redis on a free port with a data folder of its own, in which it appends every write; or uses the one that
 * `POSTHORN_REDIS_URL` names. Rejects with `ServerUnavailable` when there is no way to have it on this machine. The
 * server ends with this process, however that ends.
 */
export async function startRedis({ config }: RedisOptions = {}): Promise<TestServer> {
  const url = process.env[variable]
  if (url !== undefined && url !== '' && config === undefined) return externalServer(url, variable)

  const version = (await readVersion()) ?? (await install())
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-redis-'))
  const guard = startGuard(folder)
  try {
    const [port = 0] = await findFreePorts(1)
    const settings = {
      port: String(port),
      bind: '127.0.0.1',
      dir: folder,
      save: '',
      appendonly: 'yes',
      // Its command line would lose the folder, by which the guard knows it.
      'set-proc-title': 'no',
      ...config,
    }
    const args = Object.entries(settings).flatMap(([key, value]) => [`--${key}`, value])
    const isReady = async (): Promise<boolean> => answersPing(port)
    return await startServer({
      name: `Redis ${version}`,
      url: `redis://127.0.0.1:${port}`,
      version,
      file: program,
      args,
      folder,
      guard,
      isReady,
    })
  } catch (error) {
    await guard.release()
    throw error
  }
}

/** The same for tests that are skipped, with the printed reason, when it cannot be had. With `CI=true` it rejects. */
export async function tryStartRedis(options: RedisOptions = {}): ReturnType<typeof orReason<TestServer>> {
  return orReason(startRedis(options))
}

async function readVersion(): Promise<string | undefined> {
  const { stdout } = await runProgram(program, ['--version'])
  return /v=(\S+)/.exec(stdout)?.[1]
}

async function install(): Promise<string> {
  const reason = await installWithApt(program, { service: program })
  const version = reason === undefined ? await readVersion() : undefined
  if (version !== undefined) return version
  throw new ServerUnavailable('Redis', [
    `${variable} is not set`,
    'it is not installed',
    reason ?? `apt brought no ${program}`,
  ])
}

async function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    const end = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.on('connect', () => socket.write('PING\r\n'))
    // While it reads its data it says -LOADING.
    socket.on('data', (data) => end(data.toString().startsWith('+PONG')))
    socket.on('error', () => end(false))
    socket.on('close', () => end(false))
  })
}
