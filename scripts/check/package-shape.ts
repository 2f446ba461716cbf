// Packs each package as it would be published, and looks at it as its users will.
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { mapConcurrently } from '../map-concurrently.ts'
import { runCommand } from '../run-command.ts'
import { isPublished, listDoors, listPackages, root, type WorkspacePackage } from '../workspace.ts'

/** What is wrong with the packages, one line each, after building them. */
export async function checkPackageShape(): Promise<string[]> {
  const build = await runCommand('turbo', ['run', 'build'], { cwd: root })
  if (build.exitCode !== 0) return [build.output]

  const scratch = mkdtempSync(join(tmpdir(), 'packed-'))
  try {
    const packages = listPackages().filter(isPublished)
    return (await mapConcurrently(packages, (each) => checkPackage(each, scratch))).flat()
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

async function checkPackage(
  { name, folder, manifest }: WorkspacePackage,
  scratch: string,
): Promise<string[]> {
  const out = join(scratch, name)
  mkdirSync(out)
  const steps: [command: string, ...words: string[]][] = [
    // pnpm, since npm would leave `workspace:`, `catalog:` and publishConfig as they are.
    ['pnpm', '--dir', join(root, folder), 'pack', '--out', join(out, 'package.tgz')],
    ['tar', '-xzf', 'package.tgz'],
    ['publint', 'run', 'package.tgz', '--strict'],
    ['attw', 'package.tgz', '--profile', 'esm-only', '--format', 'ascii', '--no-emoji'],
  ]
  for (const [command, ...words] of steps) {
    const { exitCode, output } = await runCommand(command, words, { cwd: out })
    if (exitCode !== 0) return [`${folder}: ${command}:`, output]
  }
  return findPackedMistakes(join(out, 'package'), listDoors(manifest)).map(
    (mistake) => `${folder}: ${mistake}`,
  )
}

/** What the tools do not look at, in an unpacked package. */
export function findPackedMistakes(folder: string, doors: readonly string[]): string[] {
  const manifest = readFileSync(join(folder, 'package.json'), 'utf8')
  const packedDoors = listDoors(JSON.parse(manifest))
  const files = globSync('**/*', { cwd: folder })
  return [
    ...doors
      .filter((door) => !packedDoors.includes(door))
      .map((door) => `${door} is in exports, but not in publishConfig.exports`),
    ...['workspace:', 'catalog:', 'posthorn-source']
      .filter((word) => manifest.includes(word))
      .map((word) => `${word} is left in package.json`),
    ...['README.md', 'LICENSE'].filter((file) => !files.includes(file)).map((file) => `${file} is missing`),
    ...files.filter((file) => /\.test(-d)?\./.test(file)).map((file) => `${file} is a test`),
    ...files.filter((file) => file.endsWith('.map')).flatMap((file) => findLostSources(folder, file)),
  ]
}

/** A debugger and "go to definition" follow the maps to the sources, which are published for that. */
function findLostSources(folder: string, map: string): string[] {
  const { sources } = JSON.parse(readFileSync(join(folder, map), 'utf8')) as { sources: string[] }
  return sources
    .filter((source) => !existsSync(join(folder, dirname(map), source)))
    .map((source) => `${map} names ${source}, which is not in the package`)
}
