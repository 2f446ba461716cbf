// Rehearses a release in a scratch copy of the workspace, on a registry of its own: versions, build, publication,
// then each package installed alone in an empty project, and a second publication, which has nothing to do.
// The working tree and the tags of this repository are not touched, and nothing is left behind.
import { copyFileSync, existsSync, globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { mapConcurrently } from '../map-concurrently.ts'
import { runCommand } from '../run-command.ts'
import { stepLine } from '../step-line.ts'
import { isPublished, listPackages, root } from '../workspace.ts'
import { tryAsUser } from './consumer.ts'
import { startLocalRegistry } from './local-registry.ts'

const scratch = mkdtempSync(join(tmpdir(), 'rehearsal-'))
const copy = join(scratch, 'workspace')
process.once('exit', () => rmSync(scratch, { recursive: true, force: true, maxRetries: 3 }))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

const packageNames = listPackages()
  .filter(isPublished)
  .map(({ manifest }) => manifest.name)
const registry = await startLocalRegistry({ owned: packageNames, upstream: await readUpstream() })

// On top of the machine's own settings, which say how the upstream is reached.
const env: NodeJS.ProcessEnv = {
  ...process.env,
  CI: 'true',
  npm_config_registry: registry.url,
  pnpm_config_registry: registry.url,
  // Provenance needs the identity of the release workflow.
  npm_config_provenance: 'false',
  pnpm_config_provenance: 'false',
  PATH: [join(copy, 'node_modules/.bin'), process.env['PATH']].join(delimiter),
}

try {
  await step('copy', copyWorkspace)
  await step('install', () =>
    runInCopy('pnpm', ['install', '--frozen-lockfile', '--prefer-offline'], process.env),
  )
  await step('version', version)
  await step('build', () => runInCopy('turbo', ['run', 'build']))
  await step('publish', publish)
  await step('install each', installEach)
  await step('publish 2', publishAgain)
  console.log('\nThe release would work.')
} catch (error) {
  console.log(`\n${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
} finally {
  await registry[Symbol.asyncDispose]()
}

async function step(name: string, work: () => Promise<string | undefined>): Promise<void> {
  const startedAt = performance.now()
  try {
    const note = await work()
    console.log(stepLine(name, true, startedAt, note))
  } catch (error) {
    console.log(stepLine(name, false, startedAt))
    throw error
  }
}

async function runInCopy(command: string, words: readonly string[], environment = env): Promise<undefined> {
  const { exitCode, output } = await runCommand(command, words, { cwd: copy, env: environment })
  if (exitCode !== 0) throw new Error(`${command} ${words.join(' ')}:\n${output}`)
}

async function readUpstream(): Promise<string> {
  const { stdout } = await runCommand('npm', ['config', 'get', 'registry'])
  return stdout
}

/** What Git has or would take: neither what is installed nor what is built. */
async function copyWorkspace(): Promise<string> {
  const { stdout } = await runCommand('git', ['ls-files', '-co', '--exclude-standard', '-z'], { cwd: root })
  const files = stdout.split('\0').filter((file) => file !== '' && existsSync(join(root, file)))
  for (const file of files) {
    mkdirSync(dirname(join(copy, file)), { recursive: true })
    copyFileSync(join(root, file), join(copy, file))
  }
  const { host } = new URL(registry.url)
  writeFileSync(join(copy, '.npmrc'), `registry=${registry.url}\n//${host}/:_authToken=rehearsal\n`)

  // Changesets tags what it publishes, so the copy is a repository with a commit.
  await runInCopy('git', ['init', '--quiet'])
  await runInCopy('git', ['config', 'user.name', 'Rehearsal'])
  await runInCopy('git', ['config', 'user.email', 'rehearsal@localhost'])
  await runInCopy('git', ['commit', '--quiet', '--allow-empty', '--message', 'Rehearsal'])
  return `${files.length} files`
}

async function version(): Promise<string> {
  const pending = globSync('.changeset/*.md', { cwd: copy }).filter((file) => !file.endsWith('README.md'))
  if (pending.length === 0) {
    const bumps = packageNames.map((name) => `'${name}': patch`)
    writeFileSync(
      join(copy, '.changeset/rehearsal.md'),
      ['---', ...bumps, '---', '', 'Rehearsal', ''].join('\n'),
    )
  }
  await runInCopy('changeset', ['version'])
  const versions = listPackages(copy)
    .filter(isPublished)
    .map(({ name, manifest }) => `${name} ${manifest.version}`)
  return pending.length === 0 ? `no changesets, so one for all: ${versions.join(', ')}` : versions.join(', ')
}

async function publish(): Promise<string> {
  // Nothing may go out into the world from here.
  const { stdout: target } = await runCommand('pnpm', ['config', 'get', 'registry'], { cwd: copy, env })
  if (target !== registry.url) throw new Error(`pnpm would publish to ${target}`)
  await runInCopy('changeset', ['publish'])
  const expected = listPackages(copy)
    .filter(isPublished)
    .map(({ manifest }) => `${manifest.name}@${manifest.version}`)
  const missing = expected.filter((name) => !registry.published.includes(name))
  if (missing.length > 0) throw new Error(`Not published: ${missing.join(', ')}`)

  const { stdout } = await runCommand('git', ['tag'], { cwd: copy })
  const untagged = expected.filter((name) => !stdout.split('\n').includes(name))
  if (untagged.length > 0) throw new Error(`Not tagged: ${untagged.join(', ')}`)
  return `${expected.length} packages`
}

async function installEach(): Promise<string> {
  const packages = listPackages(copy).filter(isPublished)
  const problems = await mapConcurrently(packages, (each) =>
    tryAsUser(each, join(scratch, 'users', each.name), copy, env),
  )
  if (problems.flat().length > 0) throw new Error(problems.flat().join('\n'))
  return 'import, require and types'
}

async function publishAgain(): Promise<string> {
  const before = registry.published.length
  await runInCopy('changeset', ['publish'])
  const again = registry.published.slice(before)
  if (again.length > 0) throw new Error(`Published again: ${again.join(', ')}`)
  return 'nothing to publish'
}
