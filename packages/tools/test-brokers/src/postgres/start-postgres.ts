import { chown, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isRoot } from '../install/apt.ts'
import { orReason } from '../install/server-unavailable.ts'
import { findFreePorts } from '../process/find-free-ports.ts'
import { startGuard } from '../process/guard.ts'
import { lastLines, runProgram } from '../process/run-program.ts'
import { externalServer, startServer } from '../process/start-server.ts'
import type { TestServer } from '../process/test-server.ts'
import { findPostgres } from './find-postgres.ts'

const variable = 'POSTHORN_POSTGRES_URL'

/** Whoever runs the server: it refuses to be root. */
interface User {
  readonly uid: number
  readonly gid: number
}

/**
 * Starts a PostgreSQL on a free port with a data folder of its own; or uses the one that `POSTHORN_POSTGRES_URL` names.
 * Rejects with `ServerUnavailable` when there is no way to have it on this machine. The server ends with this process,
 * however that ends. Committed data survive a kill of the server, but not one of the machine.
 */
export async function startPostgres(): Promise<TestServer> {
  const given = process.env[variable]
  if (given !== undefined && given !== '') return externalServer(given, variable)

  const { bin, version } = await findPostgres(variable)
  const user = isRoot() ? await findUser() : undefined
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-postgres-'))
  const guard = startGuard(folder)
  try {
    if (user !== undefined) await chown(folder, user.uid, user.gid)
    const [port = 0] = await findFreePorts(1)
    const data = join(folder, 'data')
    await initialise(join(bin, 'initdb'), folder, data, user)

    const settings = {
      port: String(port),
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      // The disk outlives every process that a test may kill.
      fsync: 'off',
      full_page_writes: 'off',
    }
    const args = [
      '-D',
      data,
      ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
    ]
    const command = asUser(user, join(bin, 'postgres'), args)
    const isReady = async (): Promise<boolean> =>
      (await runProgram(join(bin, 'pg_isready'), ['-q', '-h', '127.0.0.1', '-p', String(port)])).code === 0
    return await startServer({
      name: `PostgreSQL ${version}`,
      url: `postgres://postgres@127.0.0.1:${port}/postgres`,
      version,
      ...command,
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
export async function tryStartPostgres(): ReturnType<typeof orReason<TestServer>> {
  return orReason(startPostgres())
}

async function initialise(
  initdb: string,
  folder: string,
  data: string,
  user: User | undefined,
): Promise<void> {
  const options = ['--username=postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync']
  const { file, args } = asUser(user, initdb, ['-D', data, ...options])
  // Not every user may be where this process is.
  const result = await runProgram(file, args, { cwd: folder })
  if (result.code !== 0) throw new Error(`initdb failed: ${lastLines(result)}`)
}

/** The program becomes the server instead of keeping it as its child, so signals reach the server. */
function asUser(
  user: User | undefined,
  file: string,
  args: readonly string[],
): { readonly file: string; readonly args: readonly string[] } {
  if (user === undefined) return { file, args }
  const options = [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups']
  return { file: 'setpriv', args: [...options, file, ...args] }
}

async function findUser(): Promise<User> {
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = await Promise.all(['-u', '-g'].map(async (what) => runProgram('id', [what, name])))
    if (uid?.code === 0 && gid?.code === 0) return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
  }
  throw new Error('PostgreSQL must not run as root, and there is neither a user postgres nor nobody')
}
