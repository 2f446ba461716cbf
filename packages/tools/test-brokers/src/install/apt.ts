import { lastLines, runProgram } from '../process/run-program.ts'

export function isRoot(): boolean {
  return process.getuid?.() === 0
}

export interface AptOptions {
  /** Only when the version that apt would install starts with this. Default: any. */
  readonly versionPrefix?: string
  /** The service that the package starts on installation, which is stopped again. Default: none. */
  readonly service?: string
}

const environment = { DEBIAN_FRONTEND: 'noninteractive' }

/**
 * Installs a Debian package that is not installed yet. Answers `undefined` when it worked, otherwise the reason. Only to
 * be called when the package's programs are missing: the service that it stops is then the one it has started.
 */
export async function installWithApt(
  packageName: string,
  { versionPrefix = '', service }: AptOptions = {},
): Promise<string | undefined> {
  if (!isRoot()) return `apt-get install ${packageName} needs root`
  const env = { ...process.env, ...environment } as Record<string, string>

  const update = await runProgram('apt-get', ['update', '-qq'], { env })
  if (update.code === undefined) return 'there is no apt-get'
  const candidate = await candidateVersion(packageName)
  if (candidate === undefined) return `apt knows no package ${packageName}`
  if (!candidate.startsWith(versionPrefix)) return `apt would install ${packageName} ${candidate}`

  const install = await runProgram(
    'apt-get',
    ['install', '-y', '-qq', '--no-install-recommends', packageName],
    { env },
  )
  if (install.code !== 0) return `apt-get install ${packageName} failed: ${lastLines(install)}`
  // Obeys the policy of machines on which packages start nothing.
  if (service !== undefined) await runProgram('invoke-rc.d', [service, 'stop'], { env })
  return undefined
}

async function candidateVersion(packageName: string): Promise<string | undefined> {
  const { stdout } = await runProgram('apt-cache', ['policy', packageName])
  const version = /Candidate: (?:\d+:)?(\S+)/.exec(stdout)?.[1]
  return version === '(none)' ? undefined : version
}
