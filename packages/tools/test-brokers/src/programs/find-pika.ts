import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { installWithApt } from '../install/apt.ts'
import { buildFolder } from '../install/build-folder.ts'
import { cacheFolder } from '../install/cache-folder.ts'
import { orReason, ServerUnavailable } from '../install/server-unavailable.ts'
import { lastLines, runProgram } from '../process/run-program.ts'

/** Where Debian's packages for Python are seen from, whatever `python3` is on the `PATH`. */
const debianPython = '/usr/bin/python3'
const pipVersion = '1.3.2'

/**
 * A Python that has pika, RabbitMQ's client: as it is installed, else by apt for root, else by pip in an environment of its
 * own that is kept in the cache. For tests that are skipped, with the printed reason, where it cannot be had; with `CI=true` it
 * rejects.
 */
export async function tryFindPika(): ReturnType<typeof orReason<string>> {
  return orReason(findPika())
}

async function findPika(): Promise<string> {
  for (const python of ['python3', debianPython]) if (await hasPika(python)) return python
  const reason = await installWithApt('python3-pika')
  if (reason === undefined && (await hasPika(debianPython))) return debianPython
  const environment = await pikaFromPip()
  if (!('reason' in environment)) return environment.python
  throw new ServerUnavailable('pika', [reason ?? 'apt installed one that does not work', environment.reason])
}

async function hasPika(python: string): Promise<boolean> {
  return (await runProgram(python, ['-c', 'import pika'])).code === 0
}

async function pikaFromPip(): Promise<{ readonly python: string } | { readonly reason: string }> {
  const folder = join(cacheFolder(), `pika-${pipVersion}`)
  try {
    // Its scripts name the folder that it was made in; the interpreter does not.
    await buildFolder(folder, async (partial) => {
      await run('python3', ['-m', 'venv', partial])
      await run(join(partial, 'bin/python'), ['-m', 'pip', 'install', '-q', `pika==${pipVersion}`])
    })
  } catch (error) {
    return { reason: (error as Error).message }
  }
  const python = join(folder, 'bin/python')
  return existsSync(python) ? { python } : { reason: `there is no Python in ${folder}: remove it` }
}

async function run(file: string, args: readonly string[]): Promise<void> {
  const result = await runProgram(file, args)
  if (result.code !== 0) throw new Error(`${[file, ...args].join(' ')} failed: ${lastLines(result, 1)}`)
}
