import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The part of a package.json that the scripts read. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly exports?: Readonly<Record<string, unknown>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

export interface WorkspacePackage {
  /** From the root, with forward slashes: `packages/core/transport`. */
  readonly folder: string
  /** What kind it is: `core`, `patterns`, …, or `apps`. */
  readonly group: string
  /** The last part of the folder, which is also the npm name after the scope. */
  readonly name: string
  readonly manifest: Manifest
}

export const root: string = dirname(import.meta.dirname)

/** Every package and app of a workspace, in alphabetical order of their folders. */
export function listPackages(workspace: string = root): WorkspacePackage[] {
  const groups = listFolders(join(workspace, 'packages')).map((group) => `packages/${group}`)
  return [...groups, 'apps']
    .flatMap((group) => listFolders(join(workspace, group)).map((name) => ({ group, name })))
    .flatMap(({ group, name }) => {
      const folder = `${group}/${name}`
      const manifest = readManifest(join(workspace, folder))
      return manifest === undefined ? [] : [{ folder, group: group.replace('packages/', ''), name, manifest }]
    })
}

export function isPublished({ manifest }: WorkspacePackage): boolean {
  return manifest.private !== true
}

/** The specifiers under which users import a package: `@posthorn/transport`, `@posthorn/transport/memory`, … */
export function listDoors({ name, exports = {} }: Manifest): string[] {
  return Object.keys(exports)
    .filter((door) => door !== './package.json')
    .map((door) => name + door.slice(1))
}

function readManifest(folder: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function listFolders(parent: string): string[] {
  try {
    return readdirSync(parent, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .toSorted()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
