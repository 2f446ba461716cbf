// The arrows between packages: who may import whom. The picture and the reasons are in ARCHITECTURE.md.
import { globSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseSync, Visitor } from 'oxc-parser'
import { listPackages, root, type WorkspacePackage } from '../workspace.ts'

const scope = '@posthorn/'

/** Whom the published sources of a package, or of a group of packages, may import. */
interface Rule {
  readonly packages: readonly string[]
  /** Doors other than the main one, as in `@posthorn/transport/driver`. */
  readonly doors: readonly string[]
}

const rules: Readonly<Record<string, Rule>> = {
  'core/transport': { packages: [], doors: [] },
  'core/store': { packages: [], doors: [] },
  'core/conformance': { packages: ['transport', 'store'], doors: ['driver', 'memory', 'options', 'testing'] },
  brokers: { packages: ['transport'], doors: ['driver', 'options'] },
  patterns: { packages: ['transport', 'store'], doors: ['options', 'schema'] },
  policies: { packages: ['transport', 'store'], doors: ['options'] },
}

/** Installed by whoever installs `transport`, so it brings nothing along. */
const withoutDependencies = 'core/transport'

const isTest = (file: string): boolean => /\.test(-d)?\.ts$/.test(file) || file.startsWith('test/')

/** What is wrong with the arrows of a workspace, one line each. */
export function findForbiddenArrows(workspace: string = root): string[] {
  const packages = listPackages(workspace)
  return packages.flatMap((from) => {
    const rule = rules[`${from.group}/${from.name}`] ?? rules[from.group]
    // Apps and tools combine the packages, so they may import any.
    if (rule === undefined) return []
    return [...checkManifest(from, rule, packages), ...checkSources(workspace, from, rule, packages)]
  })
}

function checkManifest(from: WorkspacePackage, rule: Rule, packages: readonly WorkspacePackage[]): string[] {
  const { dependencies, peerDependencies, optionalDependencies, devDependencies = {} } = from.manifest
  const shipped = Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies })
  const wrong = (name: string, reason: string): string => `${from.folder}/package.json: ${name}: ${reason}`

  const none = `${from.group}/${from.name}` === withoutDependencies
  return [
    ...shipped.flatMap((name) => {
      const reason = none ? `${from.name} has no dependencies` : explain(name, rule, from)
      return reason === undefined ? [] : [wrong(name, reason)]
    }),
    ...Object.keys(devDependencies).flatMap((name) => {
      const reason = explain(name, widenForTests(rule, packages), from)
      return reason === undefined ? [] : [wrong(name, reason)]
    }),
  ]
}

function checkSources(
  workspace: string,
  from: WorkspacePackage,
  rule: Rule,
  packages: readonly WorkspacePackage[],
): string[] {
  const folder = join(workspace, from.folder)
  return globSync('{src,test}/**/*.ts', { cwd: folder }).flatMap((file) => {
    const specifiers = listImports(file, readFileSync(join(folder, file), 'utf8'))
    const allowed = isTest(file) ? widenForTests(rule, packages) : rule
    return specifiers.flatMap((specifier) => {
      const reason =
        explainRelative(file, specifier) ??
        explain(specifier, allowed, from) ??
        (isTest(file) ? undefined : explainUndeclared(specifier, from))
      return reason === undefined ? [] : [`${from.folder}/${file}: ${specifier}: ${reason}`]
    })
  })
}

/** Tests may use what is made for them: the suites of `conformance`, the tools, the doors for tests. */
function widenForTests(rule: Rule, packages: readonly WorkspacePackage[]): Rule {
  const tools = packages.filter(({ group }) => group === 'tools').map(({ name }) => name)
  return {
    packages: [...rule.packages, 'conformance', ...tools],
    doors: [...rule.doors, 'driver', 'memory', 'testing'],
  }
}

/** Why a specifier of one of our packages is not allowed; undefined where it is, or is not one of ours. */
function explain(specifier: string, rule: Rule, from: WorkspacePackage): string | undefined {
  if (!specifier.startsWith(scope)) return undefined
  const [name = '', door] = specifier.slice(scope.length).split(/\/(.*)/s)
  if (name === from.name) return undefined
  if (!rule.packages.includes(name)) {
    const allowed = rule.packages.length === 0 ? 'none of our packages' : `only ${rule.packages.join(', ')}`
    return `${from.group}/${from.name} may import ${allowed}`
  }
  // The doors of `store` are its databases, which users choose.
  if (door !== undefined && name === 'transport' && !rule.doors.includes(door)) {
    return `the door /${door} is not for ${from.group}/${from.name}`
  }
  return undefined
}

function explainRelative(file: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined
  const inside = !relative('.', join(file, '..', specifier)).startsWith('..')
  return inside ? undefined : 'a relative import leaves the package'
}

/** What users do not get installed must not be imported by what they get. */
function explainUndeclared(specifier: string, { name, manifest }: WorkspacePackage): string | undefined {
  if (specifier.startsWith('.') || specifier.startsWith('node:')) return undefined
  const [first = '', second = ''] = specifier.split('/')
  const imported = first.startsWith('@') ? `${first}/${second}` : first
  const { dependencies, peerDependencies, optionalDependencies } = manifest
  const declared = { ...dependencies, ...peerDependencies, ...optionalDependencies }
  if (imported in declared || imported === scope + name) return undefined
  return `${imported} is not among the dependencies or peerDependencies of ${name}`
}

/** Every specifier that a source names: imports, exports, types, dynamic imports and `require`. */
export function listImports(file: string, source: string): string[] {
  const { program, errors } = parseSync(file, source)
  if (errors[0] !== undefined) throw new Error(`${file}: ${errors[0].message}`)

  const specifiers: string[] = []
  const add = (node: unknown): void => {
    const value = (node as { value?: unknown } | null | undefined)?.value
    if (typeof value === 'string') specifiers.push(value)
  }
  new Visitor({
    ImportDeclaration: (node) => add(node.source),
    ExportNamedDeclaration: (node) => add(node.source),
    ExportAllDeclaration: (node) => add(node.source),
    ImportExpression: (node) => add(node.source),
    TSImportType: (node) => add(node.source),
    TSExternalModuleReference: (node) => add(node.expression),
    CallExpression: (node) => {
      if (node.callee.type === 'Identifier' && node.callee.name === 'require') add(node.arguments[0])
    },
  }).visit(program)
  return specifiers
}
