import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { installWithApt } from '../install/apt.ts'
import { buildFolder } from '../install/build-folder.ts'
import { cacheFolder } from '../install/cache-folder.ts'
import { orReason, ServerUnavailable } from '../install/server-unavailable.ts'
import { lastLines, runProgram } from '../process/run-program.ts'

/** A client library of a broker for Python, and its names. */
interface PythonClient {
  /** As it is imported. */
  readonly module: string
  readonly debianPackage: string
  readonly pipPackage: string
  readonly pipVersion: string
}

/** Where Debian's packages for Python are seen from, whatever `python3` is on the `PATH`. */
const debianPython = '/usr/bin/python3'

/**
 * A Python that has pika, RabbitMQ's client: as it is installed, else by apt for root, else by pip in an environment of its
 * own that is kept in the cache. For tests that are skipped, with the printed reason, where it cannot be had; with `CI=true` it
 * rejects.
 */
export async function tryFindPika(): ReturnType<typeof orReason<string>> {
  return orReason(
    find({ module: 'pika', debianPackage: 'python3-pika', pipPackage: 'pika', pipVersion: '1.3.2' }),
  )
}

/** The same with kafka-python. */
export async function tryFindKafkaPython(): ReturnType<typeof orReason<string>> {
  return orReason(
    find({
      module: 'kafka',
      debianPackage: 'python3-kafka',
      pipPackage: 'kafka-python',
      pipVersion: '2.2.15',
    }),
  )
}

async function find(client: PythonClient): Promise<string> {
  for (const python of ['python3', debianPython]) if (await has(python, client)) return python
  const reason = await installWithApt(client.debianPackage)
  if (reason === undefined && (await has(debianPython, client))) return debianPython
  const environment = await fromPip(client)
  if (!('reason' in environment)) return environment.python
  const reasons = [reason ?? 'apt installed one that does not work', environment.reason]
  throw new ServerUnavailable(client.pipPackage, reasons)
}

async function has(python: string, { module }: PythonClient): Promise<boolean> {
  return (await runProgram(python, ['-c', `import ${module}`])).code === 0
}

async function fromPip({
  pipPackage,
  pipVersion,
}: PythonClient): Promise<{ readonly python: string } | { readonly reason: string }> {
  const folder = join(cacheFolder(), `${pipPackage}-${pipVersion}`)
  try {
    // Its scripts name the folder that it was made in; the interpreter does not.
    await buildFolder(folder, async (partial) => {
      await run('python3', ['-m', 'venv', partial])
      await run(join(partial, 'bin/python'), ['-m', 'pip', 'install', '-q', `${pipPackage}==${pipVersion}`])
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
