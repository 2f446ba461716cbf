// Type-checks and runs the TypeScript in the README files, so that what they show works.
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { mapConcurrently } from '../map-concurrently.ts'
import { runCommand } from '../run-command.ts'
import { listPackages, root } from '../workspace.ts'
import { readSnippets, type Snippet } from './markdown-snippets.ts'

const timeoutMs = 20_000

/** A snippet laid out as a file of its own. */
interface SnippetFile extends Snippet {
  readonly readme: string
  /** From the scratch folder. */
  readonly file: string
}

export interface SnippetReport {
  readonly problems: readonly string[]
  readonly checked: number
  readonly run: number
}

export async function checkSnippets(workspace: string = root): Promise<SnippetReport> {
  // Outside the workspace, since Node strips no types below node_modules, and Git and the tools need not ignore it.
  const scratch = mkdtempSync(join(tmpdir(), 'snippets-'))
  try {
    const problems: string[] = []
    const files: SnippetFile[] = []
    for (const readme of globSync(['README.md', '{packages/*,apps}/*/README.md'], { cwd: workspace })) {
      const found = readSnippets(readFileSync(join(workspace, readme), 'utf8'))
      problems.push(...found.problems.map((problem) => `${readme}:${problem}`))
      if (found.snippets.length > 0) files.push(...layOut(workspace, scratch, readme, found.snippets))
    }
    const toRun = files.filter(({ run }) => run)
    problems.push(...(await checkTypes(workspace, scratch, files)))
    problems.push(...(await mapConcurrently(toRun, (file) => runSnippet(scratch, file))).flat())
    return { problems, checked: files.length, run: toRun.length }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** Writes the snippets of one README as files, in a folder where its imports resolve. */
function layOut(
  workspace: string,
  scratch: string,
  readme: string,
  snippets: readonly Snippet[],
): SnippetFile[] {
  const folder = dirname(readme).replaceAll('/', '-')
  mkdirSync(join(scratch, folder), { recursive: true })
  writeFileSync(join(scratch, folder, 'package.json'), '{ "type": "module" }')
  linkModules(workspace, dirname(readme), join(scratch, folder, 'node_modules'))

  return snippets.map((snippet) => {
    const file = `${folder}/${snippet.line}.ts`
    // Empty lines before it, so that an error names the line in the README.
    writeFileSync(join(scratch, file), '\n'.repeat(snippet.line - 1) + snippet.text + '\n')
    return { ...snippet, readme, file }
  })
}

/** Makes importable what the README's own package can import, and every package of the workspace. */
function linkModules(workspace: string, folder: string, modules: string): void {
  const targets = new Map<string, string>()
  for (const from of new Set([join(workspace, 'node_modules'), join(workspace, folder, 'node_modules')])) {
    if (!existsSync(from)) continue
    for (const name of readdirSync(from).flatMap((entry) => expandScope(from, entry))) {
      targets.set(name, join(from, name))
    }
  }
  for (const { manifest, folder } of listPackages(workspace))
    targets.set(manifest.name, join(workspace, folder))

  for (const [name, target] of targets) {
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(target, join(modules, name))
  }
}

function expandScope(modules: string, entry: string): string[] {
  if (entry.startsWith('.')) return []
  if (!entry.startsWith('@')) return [entry]
  return readdirSync(join(modules, entry)).map((name) => `${entry}/${name}`)
}

async function checkTypes(
  workspace: string,
  scratch: string,
  files: readonly SnippetFile[],
): Promise<string[]> {
  if (files.length === 0) return []
  const config = {
    extends: join(workspace, 'config/tsconfig.base.json'),
    compilerOptions: {
      noEmit: true,
      moduleDetection: 'force',
      typeRoots: [join(workspace, 'node_modules/@types')],
    },
    files: files.map(({ file }) => file),
  }
  writeFileSync(join(scratch, 'tsconfig.json'), JSON.stringify(config))
  const { output } = await runCommand('tsc', ['-p', '.', '--pretty', 'false'], { cwd: scratch })

  const readmes = new Map(files.map(({ file, readme }) => [file, readme]))
  const problems: string[] = []
  // Errors of the packages themselves are those of the step `types`; an indented line goes on with the one before.
  let keep = false
  for (const line of output.split('\n')) {
    const [, file = '', place, message] = /^(\S+)\((\d+,\d+)\): (.*)$/.exec(line) ?? []
    if (place !== undefined) {
      const readme = readmes.get(file)
      keep = readme !== undefined
      if (keep) problems.push(`${readme}:${place.replace(',', ':')}: ${message}`)
    } else if (keep) problems.push(line)
  }
  return problems
}

async function runSnippet(scratch: string, { readme, line, file, output }: SnippetFile): Promise<string[]> {
  const words = ['--conditions=posthorn-source', join(scratch, file)]
  const result = await runCommand(process.execPath, words, { cwd: join(scratch, dirname(file)), timeoutMs })
  const place = `${readme}:${line}`
  if (result.timedOut) return [`${place}: still running after ${timeoutMs / 1000} s`, result.output]
  if (result.exitCode !== 0) return [`${place}: exit code ${result.exitCode}`, result.output]
  if (output !== undefined && result.stdout !== output) {
    return [`${place}: it should have printed`, output, 'but printed', result.stdout]
  }
  return []
}
