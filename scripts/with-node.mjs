// Runs a command under a Node and a pnpm that this workspace supports, whatever the machine has installed:
//
//   node scripts/with-node.mjs vitest run
//
// It starts on the machine's own Node, however old, so it is plain JavaScript and imports nothing but Node.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const windows = process.platform === 'win32'

/** Fetched together where the machine's own Node or pnpm is missing or too old. */
const tools = ['node@24', 'pnpm@12']

/**
 * Whether a Node runs our TypeScript sources as they are.
 *
 * @param {string} version such as `22.18.0`
 * @returns {boolean}
 */
export function isSupportedNode(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > 22 || (major === 22 && minor >= 18)
}

/**
 * Whether a pnpm reads our pnpm-workspace.yaml.
 *
 * @param {string} version such as `12.21.0`, empty where there is no pnpm
 * @returns {boolean}
 */
export function isSupportedPnpm(version) {
  return Number(version.split('.')[0]) >= 12
}

/**
 * Whether the installed packages are those of the lockfile: pnpm keeps a copy of the lockfile that it installed.
 *
 * @param {string} folder the workspace
 * @returns {boolean}
 */
export function isInstalled(folder) {
  const installed = join(folder, 'node_modules/.pnpm/lock.yaml')
  return existsSync(installed) && readFileSync(installed).equals(readFileSync(join(folder, 'pnpm-lock.yaml')))
}

/**
 * The folder with the commands of `node` and `pnpm`, as npx lays it out.
 *
 * @param {string[]} options for npx
 * @returns {string | undefined} undefined where npx failed
 */
function findToolsFolder(options) {
  const packages = tools.flatMap((name) => ['-p', name])
  const words = ['--yes', ...options, ...packages, '--', 'node', '-p', 'process.execPath']
  const answer = spawnSync('npx', words, { cwd: root, encoding: 'utf8', shell: windows })
  if (answer.status !== 0) {
    if (options.length === 0) process.stderr.write(answer.stderr)
    return undefined
  }
  // Node names the file behind the link, which is inside the node_modules that holds the commands.
  const [folder] = answer.stdout.trim().split(/(?<=node_modules)[\\/]/)
  return join(folder ?? '', '.bin')
}

/**
 * The environment in which the workspace's commands run. Says so, once, when there is something to fetch.
 *
 * @returns {NodeJS.ProcessEnv}
 */
function setUp() {
  let announced = false
  const announce = () => {
    if (announced) return
    announced = true
    // On stderr, so that the command's own output stays clean.
    process.stderr.write('Setting up: fetching the tools and packages, once, for about half a minute.\n')
  }

  const path = [join(root, 'node_modules/.bin'), process.env['PATH'] ?? '']
  const pnpm = spawnSync('pnpm', ['--version'], { cwd: root, encoding: 'utf8', shell: windows })
  if (!isSupportedNode(process.versions.node) || !isSupportedPnpm(pnpm.stdout ?? '')) {
    let folder = findToolsFolder(['--offline'])
    if (folder === undefined) {
      announce()
      folder = findToolsFolder([])
    }
    if (folder === undefined) throw new Error(`npx could not fetch ${tools.join(' and ')}`)
    path.unshift(folder)
  }
  const env = { ...process.env, PATH: path.join(delimiter) }

  if (!isInstalled(root)) {
    announce()
    const install = spawnSync('pnpm', ['install'], { cwd: root, encoding: 'utf8', shell: windows, env })
    if (install.status !== 0) throw new Error(`pnpm install failed:\n${install.stdout}${install.stderr}`)
  }
  return env
}

/**
 * @param {string[]} command
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<number>} the command's exit code
 */
export function run([name = '', ...words], env) {
  const child = spawn(name, words, { stdio: 'inherit', shell: windows, env })
  passSignals(child)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) =>
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    )
  })
}

/**
 * Lets the command end in its own way: each request to stop reaches it once, since a second one would read
 * as "stop at once".
 *
 * @param {import('node:child_process').ChildProcess} child
 */
function passSignals(child) {
  // Under `npm run` the parent is a shell, which a SIGTERM for npm ends without a word to us.
  const parent = process.ppid
  const isOrphan = () => process.env['npm_lifecycle_event'] !== undefined && process.ppid !== parent
  let stopping = false
  const watch = setInterval(() => {
    if (!stopping && isOrphan()) child.kill('SIGTERM')
    stopping ||= isOrphan()
  }, 250)
  child.once('exit', () => clearInterval(watch))

  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => {
      stopping = true
      // When the shell is gone as well, the signal was for the whole group, and the command has had it.
      setTimeout(() => isOrphan() || child.kill(signal), 100)
    })
  }
  // Likewise Ctrl+C, which a terminal sends to the whole group.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'))
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    process.exitCode = await run(process.argv.slice(2), setUp())
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
}
