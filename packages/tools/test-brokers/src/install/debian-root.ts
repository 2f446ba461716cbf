import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { lastLines, runProgram } from '../process/run-program.ts'
import { installWithApt, isRoot } from './apt.ts'
import { buildFolder } from './build-folder.ts'
import { cacheFolder } from './cache-folder.ts'

/** Where a server's data folder appears inside of a Debian root. */
export const dataFolderInRoot = '/srv/posthorn'

export type DebianSuite = 'bookworm' | 'trixie' | 'sid'

/**
 * A folder with a minimal Debian of another release and one package, made by debootstrap the first time and kept in the
 * cache. Answers the reason instead when it cannot be had.
 */
export async function debianRoot(
  suite: DebianSuite,
  packageName: string,
): Promise<{ readonly folder: string } | { readonly reason: string }> {
  if (process.platform !== 'linux' || !isRoot())
    return { reason: `Debian ${suite} in a folder needs Linux and root` }

  const folder = join(cacheFolder(), `${suite}-${packageName}`)
  if (existsSync(folder)) return { folder }
  const missing = (await hasDebootstrap()) ? undefined : await installWithApt('debootstrap')
  if (missing !== undefined)
    return { reason: `Debian ${suite} in a folder needs debootstrap, and ${missing}` }
  try {
    await buildFolder(folder, async (partial) => bootstrap(suite, packageName, partial))
    return { folder }
  } catch (error) {
    return { reason: (error as Error).message }
  }
}

async function hasDebootstrap(): Promise<boolean> {
  return (await runProgram('debootstrap', ['--version'])).code === 0
}

async function bootstrap(suite: DebianSuite, packageName: string, folder: string): Promise<void> {
  const result = await runProgram('debootstrap', [
    '--variant=minbase',
    `--include=${packageName}`,
    suite,
    folder,
  ])
  if (result.code !== 0)
    throw new Error(`debootstrap of ${suite} with ${packageName} failed: ${lastLines(result, 1)}`)

  await writeFile(join(folder, 'etc/hosts'), '127.0.0.1 localhost\n')
  await mkdir(join(folder, dataFolderInRoot), { recursive: true })
  await rm(join(folder, 'var/cache/apt/archives'), { recursive: true, force: true })
}

// The mounts are in a namespace of the process's own: they end with it, whatever ends it, and nobody else sees them.
// Each step becomes the next one by exec, so the process that was spawned is the server itself.
const enter = `
set -e
root=$1 data=$2
shift 2
for folder in proc sys dev; do mount --bind /$folder "$root/$folder"; done
mount --bind "$data" "$root${dataFolderInRoot}"
exec chroot "$root" "$@"
`

/** The command that runs another one inside of a Debian root, with `dataFolder` as `/srv/posthorn`. */
export function commandInRoot(
  root: string,
  dataFolder: string,
  command: readonly string[],
): { readonly file: string; readonly args: readonly string[] } {
  const shell = ['/bin/sh', '-c', enter, 'enter', root, dataFolder, ...command]
  return { file: 'unshare', args: ['--mount', '--propagation', 'private', ...shell] }
}
