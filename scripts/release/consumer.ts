import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from '../run-command.ts'
import { listDoors, type Manifest, type WorkspacePackage } from '../workspace.ts'

/**
 * Installs one package alone in an empty project and uses each of its doors, as ESM, as CommonJS and in TypeScript.
 *
 * @param project a folder for it, which is made
 * @param workspace the one whose compiler and Node types are used
 * @returns what did not work
 */
export async function tryAsUser(
  { manifest }: WorkspacePackage,
  project: string,
  workspace: string,
  env: NodeJS.ProcessEnv,
): Promise<string[]> {
  const doors = listDoors(manifest)
  const imports = doors.map((door, index) => `import * as door${index} from '${door}'`)
  const uses = doors.map((_, index) => `if (typeof door${index} !== 'object') throw new Error('no module')`)
  const exported = `export const doors: object[] = [${doors.map((_, index) => `door${index}`).join(', ')}]`
  const typescript = [...imports, exported, ''].join('\n')

  // Libraries are checked too, as a strict user would have it.
  const strict = {
    noEmit: true,
    strict: true,
    skipLibCheck: false,
    target: 'es2023',
    lib: ['es2023', 'esnext.disposable'],
    types: ['node'],
    typeRoots: [join(workspace, 'node_modules/@types')],
  }
  const files: Record<string, string> = {
    'package.json': JSON.stringify({ name: 'consumer', private: true }),
    'import.mjs': [...imports, ...uses].join('\n'),
    'require.cjs': doors.map((door) => `require('${door}')`).join('\n'),
    'module.mts': typescript,
    'common.cts': typescript,
    'bundled.ts': typescript,
    'nodenext.json': JSON.stringify({
      compilerOptions: { ...strict, module: 'nodenext' },
      files: ['module.mts', 'common.cts'],
    }),
    'bundler.json': JSON.stringify({
      compilerOptions: { ...strict, module: 'esnext', moduleResolution: 'bundler' },
      files: ['bundled.ts'],
    }),
  }
  mkdirSync(project, { recursive: true })
  for (const [file, text] of Object.entries(files)) writeFileSync(join(project, file), text)

  const steps: [command: string, ...words: string[]][] = [
    // npm installs the peers, too, but for optional ones, which some doors need.
    ['npm', 'install', '--no-audit', '--no-fund', manifest.name, ...optionalPeers(manifest)],
    ['node', 'import.mjs'],
    ['node', 'require.cjs'],
    ['tsc', '-p', 'nodenext.json', '--pretty', 'false'],
    ['tsc', '-p', 'bundler.json', '--pretty', 'false'],
  ]
  const problems: string[] = []
  for (const [command, ...words] of steps) {
    const { exitCode, output } = await runCommand(command, words, { cwd: project, env })
    if (exitCode !== 0) problems.push(`${manifest.name}: ${command} ${words.join(' ')}:\n${output}`)
  }
  return problems
}

function optionalPeers({ peerDependencies = {}, peerDependenciesMeta = {} }: Manifest): string[] {
  return Object.keys(peerDependenciesMeta).map((name) => `${name}@${peerDependencies[name] ?? '*'}`)
}
