// Every check but the tests. `npm run check -- lint types` runs only the steps that are named.
import { findForbiddenArrows } from './check/arrows.ts'
import { checkPackageShape } from './check/package-shape.ts'
import { checkSnippets } from './check/snippets.ts'
import { runCommand } from './run-command.ts'
import { stepLine } from './step-line.ts'
import { root } from './workspace.ts'

interface StepResult {
  readonly ok: boolean
  /** Shown when the step failed. */
  readonly output: string
  /** A word on what was looked at. */
  readonly note?: string
}

const command =
  (name: string, ...words: string[]) =>
  async (): Promise<StepResult> => {
    const { exitCode, output } = await runCommand(name, words, { cwd: root })
    return { ok: exitCode === 0, output }
  }

const fromProblems = (problems: readonly string[], note?: string): StepResult => ({
  ok: problems.length === 0,
  output: problems.join('\n'),
  ...(note === undefined ? {} : { note }),
})

const steps: Readonly<Record<string, () => Promise<StepResult>>> = {
  format: command('oxfmt', '--list-different'),
  lint: command('oxlint', '--deny-warnings'),
  types: command('tsc', '-p', 'tsconfig.json', '--pretty', 'false'),
  arrows: async () => fromProblems(findForbiddenArrows()),
  unused: command('knip', '--config', 'config/knip.json', '--no-progress'),
  packages: async () => fromProblems(await checkPackageShape()),
  snippets: async () => {
    const { problems, checked, run } = await checkSnippets()
    return fromProblems(problems, `${checked} type-checked, ${run} run`)
  },
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !(name in steps))
if (unknown.length > 0) {
  console.error(`There is no step ${unknown.join(', ')}. The steps: ${Object.keys(steps).join(', ')}.`)
  process.exit(1)
}

const failures: { name: string; output: string }[] = []
for (const [name, run] of Object.entries(steps)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const startedAt = performance.now()
  const { ok, output, note } = await run()
  console.log(stepLine(name, ok, startedAt, note))
  if (!ok) failures.push({ name, output })
}

for (const { name, output } of failures) console.log(`\n--- ${name}\n${output}`)
console.log(
  failures.length === 0
    ? '\nAll checks passed.'
    : `\nFailed: ${failures.map(({ name }) => name).join(', ')}.`,
)
process.exitCode = failures.length === 0 ? 0 : 1
