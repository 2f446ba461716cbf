import { globSync } from 'node:fs'
import { join } from 'node:path'
import { installWithApt } from '../install/apt.ts'
import { ServerUnavailable } from '../install/server-unavailable.ts'
import { runProgram } from '../process/run-program.ts'

/** PostgreSQL's programs. */
export interface PostgresInstallation {
  /** `15.14`. */
  readonly version: string
  /** With `postgres`, `initdb` and `pg_isready`. */
  readonly bin: string
}

const packageName = 'postgresql'

/** What is installed, the newest of several; or installed now by apt. Rejects with `ServerUnavailable`. */
export async function findPostgres(variable: string): Promise<PostgresInstallation> {
  const found = await findInstalled()
  if (found !== undefined) return found
  const reason = await installWithApt(packageName, { service: packageName })
  const installed = reason === undefined ? await findInstalled() : undefined
  if (installed !== undefined) return installed
  throw new ServerUnavailable('PostgreSQL', [
    `${variable} is not set`,
    'it is not installed',
    reason ?? 'apt brought no postgres',
  ])
}

async function findInstalled(): Promise<PostgresInstallation | undefined> {
  const onPath = (process.env['PATH'] ?? '').split(':').filter((folder) => folder !== '')
  // Debian keeps them apart by version, and off the path.
  const debian = globSync('/usr/lib/postgresql/*/bin').toSorted((a, b) =>
    b.localeCompare(a, 'en', { numeric: true }),
  )
  for (const bin of [...debian, ...onPath]) {
    const { stdout } = await runProgram(join(bin, 'postgres'), ['--version'])
    const version = /PostgreSQL\) (\S+)/.exec(stdout)?.[1]
    if (version !== undefined) return { version, bin }
  }
  return undefined
}
